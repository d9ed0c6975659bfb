import {
  AudienceExportDocument,
  CancelExportDocument,
  type ExportJobFragment,
  FollowExportDocument,
} from "../../api/generated/graphql";
import { useMutation, useQuery, useSubscription } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { DownloadIcon } from "../../ui/icons";
import { Row } from "../../ui/Layout";
import { Problem } from "../../ui/Problem";
import { Progress } from "../../ui/Progress";
import { Section } from "../../ui/Section";
import { Time } from "../../ui/Time";
import styles from "./ExportSection.module.css";

/** Follows an export until its file is there, and gives the link with what is to be minded about it. */
export function ExportSection({ job, onDismiss }: { job: string; onDismiss: () => void }) {
  const all = useMessages();
  const m = all.audience;
  const asked = useQuery(AudienceExportDocument, { job });
  const found = asked.data?.job;
  const isOpen = found?.__typename === "AudienceExport" && found.finishedAt === null;
  useSubscription(FollowExportDocument, { job }, { pause: !isOpen });
  return (
    <Section
      card
      title={m.exportHeading}
      description={m.exportSnapshot}
      actions={
        <Button size="small" variant="quiet" onClick={onDismiss}>
          {m.dismiss}
        </Button>
      }
    >
      <Answer asked={asked}>
        {(data) =>
          data.job?.__typename === "AudienceExport" ? <Export job={data.job} /> : <p>{m.exportGone}</p>
        }
      </Answer>
    </Section>
  );
}

function Export({ job }: { job: ExportJobFragment }) {
  const m = useMessages().audience;
  const { run, busy } = useMutation(CancelExportDocument);
  if (job.state === "FAILED") return <Problem title={m.exportFailed}>{job.error}</Problem>;
  if (job.state === "CANCELLED") return <p>{m.exportCancelled}</p>;
  if (job.state !== "DONE") {
    const detail = job.total === null ? undefined : `${formatCount(job.done)} / ${formatCount(job.total)}`;
    return (
      <Row between>
        <div class={styles.progress}>
          <Progress label={m.exporting} value={job.done} max={job.total} detail={detail} />
        </div>
        <Button size="small" busy={busy} onClick={() => void run({ job: job.id })}>
          {m.cancelExport}
        </Button>
      </Row>
    );
  }
  if (!job.url) return <p>{m.exportGone}</p>;
  return (
    <>
      <p role="status">{m.exportDone(formatCount(job.rowCount ?? 0))}</p>
      <Row>
        <a class={styles.link} href={job.url} download>
          <DownloadIcon /> {m.download}
        </a>
        {job.urlExpiresAt && (
          <span>
            {m.exportUntil} <Time at={job.urlExpiresAt} absolute />
          </span>
        )}
      </Row>
      <Problem tone="caution" title={m.exportWarning} />
    </>
  );
}
