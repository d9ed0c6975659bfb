import type { JobState } from "../../api/generated/graphql";

const OVER: readonly JobState[] = ["DONE", "FAILED", "CANCELLED"];

/** Tells whether nothing more happens to a job. */
export function isOver(state: JobState): boolean {
  return OVER.includes(state);
}
