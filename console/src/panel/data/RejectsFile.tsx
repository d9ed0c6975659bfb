import { useEffect, useState } from "preact/hooks";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { DownloadIcon } from "../../ui/icons";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { download, readRows } from "./csv";

const SHOWN = 20;
const LOOKED_AT = 65_536;

/** Shows the first rejected entries of an upload, and offers all of them as the file that the service made. */
export function RejectsFile({ file, total }: { file: Blob; total: number }) {
  const m = useMessages();
  const [rows, setRows] = useState<readonly (readonly string[])[]>([]);
  useEffect(() => {
    let current = true;
    void file
      .slice(0, LOOKED_AT)
      .text()
      .then((text) => current && setRows(readRows(text, SHOWN + 1).slice(1)));
    return () => {
      current = false;
    };
  }, [file]);
  const columns = m.data.rejectColumns;
  return (
    <Section
      level={3}
      title={m.data.rejects}
      description={rows.length < total && m.data.rejectsFirst(formatCount(rows.length), formatCount(total))}
      actions={
        <Button icon={<DownloadIcon size={14} />} onClick={() => download("rejects.csv", file)}>
          {m.data.downloadRejects}
        </Button>
      }
    >
      <Table
        caption={m.data.rejects}
        rows={rows}
        rowKey={([openid = "", line = ""]) => `${line} ${openid}`}
        columns={[
          { key: "line", header: columns.line, align: "end", narrow: true, cell: ([, line]) => line },
          { key: "openid", header: columns.openid, primary: true, cell: ([openid]) => <code>{openid}</code> },
          { key: "reason", header: columns.reason, cell: ([, , reason]) => reason },
        ]}
      />
      <p>{m.data.mendHint}</p>
    </Section>
  );
}
