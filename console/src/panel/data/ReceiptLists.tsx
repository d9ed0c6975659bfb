import type { ComponentChildren } from "preact";
import {
  ReceiptRejectsDocument,
  type ReceiptRejectsQuery,
  ReceiptUnmatchedDocument,
  type ReceiptUnmatchedQuery,
} from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { type Pages, usePages } from "../../app/usePages";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { DownloadIcon } from "../../ui/icons";
import { Row } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { type Download, useDownload } from "./useDownload";

type ListProps = { receipt: string; total: number };

const rejectedOf = ({ node }: ReceiptRejectsQuery) =>
  node?.__typename === "ReturnReceipt" ? node.rejectedPage : null;
const unmatchedOf = ({ node }: ReceiptUnmatchedQuery) =>
  node?.__typename === "ReturnReceipt" ? node.unmatchedPage : null;

/** Shows the entries of a list that were rejected, page by page, and offers them as CSV. */
export function RejectedEntries({ receipt, total }: ListProps) {
  const m = useMessages();
  const { entry, reason } = m.data.rejectColumns;
  const pages = usePages(ReceiptRejectsDocument, { receipt }, rejectedOf);
  const file = useDownload(ReceiptRejectsDocument, receipt, rejectedOf, {
    name: "rejected.csv",
    header: ["entry", "code", "reason"],
    row: (each) => [String(each.index + 1), each.code, each.reason],
  });
  return (
    <Listed title={m.data.rejectedTitle(formatCount(total))} total={total} pages={pages} file={file}>
      <Table
        caption={m.data.rejects}
        rows={pages.nodes ?? []}
        rowKey={({ index }) => String(index)}
        columns={[
          {
            key: "entry",
            header: entry,
            primary: true,
            narrow: true,
            cell: ({ index }) => m.data.entry(formatCount(index + 1)),
          },
          { key: "reason", header: reason, cell: (each) => m.fields.text(each.code, each.reason) },
        ]}
      />
    </Listed>
  );
}

/** Shows the openids of another channel whose person is not known on this one, page by page, and offers them as CSV. */
export function UnmatchedOpenids({ receipt, total }: ListProps) {
  const m = useMessages();
  const title = m.data.unmatchedTitle(formatCount(total));
  const pages = usePages(ReceiptUnmatchedDocument, { receipt }, unmatchedOf);
  const file = useDownload(ReceiptUnmatchedDocument, receipt, unmatchedOf, {
    name: "unmatched.csv",
    header: ["openid"],
    row: ({ openid }) => [openid],
  });
  return (
    <Listed title={title} total={total} pages={pages} file={file}>
      <p>{m.data.unmatchedHint}</p>
      <Table
        caption={title}
        rows={pages.nodes ?? []}
        rowKey={({ openid }) => openid}
        columns={[
          {
            key: "openid",
            header: m.data.rejectColumns.openid,
            primary: true,
            cell: ({ openid }) => <code>{openid}</code>,
          },
        ]}
      />
    </Listed>
  );
}

type ListedProps = {
  title: string;
  total: number;
  pages: Pages<unknown, unknown>;
  file: Download;
  children: ComponentChildren;
};

function Listed({ title, total, pages, file, children }: ListedProps) {
  const m = useMessages();
  return (
    <Section
      level={3}
      title={title}
      actions={
        <Button size="small" icon={<DownloadIcon size={14} />} busy={file.read !== null} onClick={file.start}>
          {file.read
            ? m.data.downloading(formatCount(file.read), formatCount(total))
            : m.data.downloadRejects}
        </Button>
      }
    >
      <ApiProblem problem={file.problem ?? pages.problem} />
      {pages.nodes === undefined ? <Loading label={m.common.loading} /> : children}
      {pages.more && (
        <Row>
          <Button busy={pages.busy} onClick={pages.more}>
            {m.common.more}
          </Button>
        </Row>
      )}
    </Section>
  );
}
