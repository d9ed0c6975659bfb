import type { BroadcastProgressFragment, JobState } from "../../../api/generated/graphql";

const ENDED: readonly JobState[] = ["DONE", "FAILED", "CANCELLED"];

/** Which broadcasts a list shows: all, those under way, those that somebody has to look at, those that ended. */
export type Show = "ALL" | "OPEN" | "ATTENTION" | "ENDED";
export const SHOWS: readonly Show[] = ["ALL", "OPEN", "ATTENTION", "ENDED"];

/** Tells whether nothing more happens to a broadcast by itself. */
export function hasEnded(state: JobState): boolean {
  return ENDED.includes(state);
}

type Progress = Pick<
  BroadcastProgressFragment,
  "state" | "waitingFor" | "matched" | "uncertain" | "nextRunAt"
>;

/** Tells whether somebody has to do something before a broadcast goes on, or has to look at how it ended. */
export function needsAttention({ state, waitingFor, uncertain }: Progress): boolean {
  if (state === "PAUSED" || state === "WAITING_FOR_APPROVAL" || state === "FAILED") return true;
  return waitingFor === "CONFIGURATION" || (state === "DONE" && uncertain > 0);
}

/** Tells whether a list that shows only some broadcasts shows this one. */
export function isShown(show: Show, broadcast: Progress): boolean {
  if (show === "OPEN") return !hasEnded(broadcast.state);
  if (show === "ATTENTION") return needsAttention(broadcast);
  return show === "ALL" || hasEnded(broadcast.state);
}

/** Tells whether who gets it is still to be decided, so that it can be changed: all numbers are 0 until then. */
export function canBeChanged({ state, matched }: Progress): boolean {
  return !hasEnded(state) && state !== "RUNNING" && matched === 0;
}

export interface Acts {
  readonly approve: boolean;
  readonly pause: boolean;
  readonly resume: boolean;
  readonly cancel: boolean;
  readonly change: boolean;
  readonly retry: boolean;
}

/** Tells what can be done with a broadcast as it is. */
export function actsOn(broadcast: Progress): Acts {
  const { state, waitingFor, nextRunAt } = broadcast;
  const ended = hasEnded(state);
  return {
    approve: !ended && waitingFor === "SECOND_ADMIN",
    pause: !ended && state !== "PAUSED",
    resume: !ended && (state === "PAUSED" || waitingFor === "WECHAT_ADMIN" || waitingFor === "CONFIGURATION"),
    // A series that goes on can be ended even after its first run is over.
    cancel: !ended || nextRunAt !== null,
    change: canBeChanged(broadcast),
    retry: state === "DONE" || state === "PAUSED",
  };
}
