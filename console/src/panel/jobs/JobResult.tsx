import { Link } from "wouter-preact";
import type { JobRowFragment } from "../../api/generated/graphql";
import { formatCount, formatInstant } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { DownloadIcon } from "../../ui/icons";
import { Row } from "../../ui/Layout";
import { TagChip } from "../../ui/TagChip";
import { paths } from "../tags/paths";
import styles from "./Jobs.module.css";

/** Shows what came of a job, as far as there is something to take or to open. */
export function JobResult({ job, channel }: { job: JobRowFragment; channel: string }) {
  const m = useMessages();
  switch (job.__typename) {
    case "AudienceExport": {
      if (job.state !== "DONE") return null;
      if (!job.url) return <p class={styles.muted}>{m.jobs.fileGone}</p>;
      return (
        <>
          <Row>
            <a href={job.url} download>
              <DownloadIcon size={14} /> {m.jobs.download}
            </a>
            {job.rowCount !== null && m.jobs.rows(formatCount(job.rowCount))}
          </Row>
          {job.urlExpiresAt && (
            <p class={styles.muted}>{m.jobs.fileUntil(formatInstant(job.urlExpiresAt))}</p>
          )}
        </>
      );
    }
    case "OfficialAccountSync":
      return (
        <Link href={paths.sync(channel, job.id)}>
          {job.dryRun && job.state === "DONE" ? m.jobs.openPlan : m.jobs.openSync}
        </Link>
      );
    case "RemoteTagImport":
      return (
        <Row>
          {job.tags.map((tag) => (
            <TagChip
              key={tag.id}
              kind={tag.kind}
              kindLabel={m.common.kinds[tag.kind]}
              name={tag.name}
              href={paths.tag(channel, tag.id)}
            />
          ))}
        </Row>
      );
    case "TagMerge":
      return (
        <TagChip
          kind={job.into.kind}
          kindLabel={m.common.kinds[job.into.kind]}
          name={job.into.name}
          href={paths.tag(channel, job.into.id)}
        />
      );
    case "OpenidMigration": {
      if (job.startedAt === null) return null;
      const counts = [job.moved, job.united, job.unknown, job.rejected].map(formatCount);
      const [moved = "", united = "", unknown = "", rejected = ""] = counts;
      return <p>{m.jobs.migrated(moved, united, unknown, rejected)}</p>;
    }
    default:
      return null;
  }
}
