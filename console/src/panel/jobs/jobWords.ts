import type { JobProgressFragment, JobRowFragment, JobState } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import type { Messages } from "../../i18n/messages";

const FINISHED: readonly JobState[] = ["DONE", "FAILED", "CANCELLED"];

/** Tells whether nothing more happens to a job. */
export function isFinished(state: JobState): boolean {
  return FINISHED.includes(state);
}

/** Returns what a job is, in words. */
export function kindOf(job: JobRowFragment, { kinds }: Messages["jobs"]): string {
  if (job.__typename === "OfficialAccountSync") return job.dryRun ? kinds.plan : kinds.sync;
  const known = kinds as Record<string, string>;
  return known[job.__typename ?? "other"] ?? kinds.other;
}

/** Returns how many people a job is through with, in words; null where it has not begun. */
export function peopleOf({ done, total }: JobProgressFragment, jobs: Messages["jobs"]): string | null {
  if (total !== null) return jobs.people(formatCount(done), formatCount(total));
  return done > 0 ? jobs.peopleSoFar(formatCount(done)) : null;
}

/** Returns what to do about a failure; null where there is nothing more to say. */
export function adviceOf({ errorCode }: JobProgressFragment, { advice }: Messages["jobs"]): string | null {
  return (errorCode && advice[errorCode]) ?? null;
}
