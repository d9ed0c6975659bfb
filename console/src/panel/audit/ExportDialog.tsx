import { useState } from "preact/hooks";
import { type AuditFilter, type AuditFormat, ExportAuditLogDocument } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatInstant } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { Copy } from "../../ui/Copy";
import { Dialog } from "../../ui/Dialog";
import { DownloadIcon } from "../../ui/icons";
import { Row, Stack } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { RadioGroup } from "../../ui/RadioGroup";
import { useMessages } from "./messages";

const FORMATS: readonly AuditFormat[] = ["PLAIN", "OCSF"];

/** Makes a link to the log as a file, narrowed as the page is. */
export function ExportDialog({ filter, onClose }: { filter: AuditFilter | null; onClose: () => void }) {
  const m = useMessages();
  const [format, setFormat] = useState<AuditFormat>("PLAIN");
  const { run, busy, problem } = useMutation(ExportAuditLogDocument);
  const [link, setLink] = useState<{ url: string; urlExpiresAt: string } | null>(null);
  const make = async () => {
    const { data } = await run({ filter, format });
    if (data?.exportAuditLog) setLink(data.exportAuditLog);
  };
  const choices = FORMATS.map((value) => ({
    value,
    label: m.audit.formats[value],
    hint: m.audit.formatHints[value],
  }));
  return (
    <Dialog
      open
      title={m.audit.exportTitle}
      closeLabel={m.common.close}
      onClose={onClose}
      onSubmit={make}
      footer={
        <>
          <Button onClick={onClose}>{link ? m.common.close : m.common.cancel}</Button>
          {!link && (
            <Button type="submit" variant="primary" busy={busy}>
              {m.audit.makeLink}
            </Button>
          )}
        </>
      }
    >
      <Stack gap={4}>
        <p>{filter ? m.audit.exportSome : m.audit.exportAll}</p>
        {filter && <p>{m.audit.exportGaps}</p>}
        <RadioGroup
          label={m.audit.format}
          value={format}
          choices={choices}
          onChange={(chosen) => {
            setFormat(chosen);
            setLink(null);
          }}
        />
        <ApiProblem problem={problem} />
        {link && (
          <div role="status">
            <Problem tone="informative" title={m.audit.linkReady}>
              <p>{m.audit.linkUntil(formatInstant(link.urlExpiresAt))}</p>
              <Row>
                <a href={link.url} download>
                  <DownloadIcon size={14} /> {m.audit.download}
                </a>
                <Copy text={link.url} label={m.audit.copyLink} copiedLabel={m.common.copied} />
              </Row>
            </Problem>
          </div>
        )}
      </Stack>
    </Dialog>
  );
}
