import type { JobProgressFragment } from "../../api/generated/graphql";
import { formatInstant } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Progress } from "../../ui/Progress";
import { StateBadge } from "../../ui/StateBadge";
import styles from "./Jobs.module.css";
import { adviceOf, isFinished, peopleOf } from "./jobWords";
import { QueuedLong } from "./QueuedLong";

/** Shows how far a job is: its state, how many people, what it waits for, and why it failed. */
export function JobState({ job, label }: { job: JobProgressFragment; label: string }) {
  const { jobs } = useMessages();
  const advice = adviceOf(job, jobs);
  return (
    <div class={styles.state}>
      <StateBadge state={job.state}>{jobs.states[job.state]}</StateBadge>
      {!isFinished(job.state) && (
        <Progress
          hideLabel
          label={label}
          value={job.total === null ? null : job.progress}
          max={1}
          detail={peopleOf(job, jobs)}
        />
      )}
      {job.state === "WAITING" && job.resumesAt && <p>{jobs.until(formatInstant(job.resumesAt))}</p>}
      <QueuedLong job={job} />
      {job.error && <p>{job.error}</p>}
      {job.state === "FAILED" && advice && <p class={styles.advice}>{advice}</p>}
    </div>
  );
}
