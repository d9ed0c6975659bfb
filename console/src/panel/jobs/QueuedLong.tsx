import type { JobProgressFragment } from "../../api/generated/graphql";
import { useMessages } from "../../i18n/messages";
import { now } from "../../ui/clock";
import { Problem } from "../../ui/Problem";

/** A worker that runs begins a job within moments. */
const PATIENCE = 30_000;

type Queued = Pick<JobProgressFragment, "state" | "createdAt">;

/** Says that nothing has begun a job for long: that, not the job, is what somebody has to look at. */
export function QueuedLong({ job }: { job: Queued }) {
  return job.state === "QUEUED" ? <AfterAWhile since={job.createdAt} /> : null;
}

function AfterAWhile({ since }: { since: string }) {
  const { jobs } = useMessages();
  if (now.value - Date.parse(since) < PATIENCE) return null;
  return (
    <Problem tone="caution" title={jobs.queuedLong}>
      {jobs.queuedLongHint}
    </Problem>
  );
}
