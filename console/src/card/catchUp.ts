import type { Connection } from "../api/connection";

/** What came while the line was down. */
export interface CatchUp {
  /** When the page came back, in milliseconds of Unix time. */
  readonly at: number;
  /** How many tags came or went meanwhile. */
  readonly changes: number;
  /** Whether the whole set was loaded anew, since the gap was too long to be told change by change. */
  readonly anew: boolean;
}

interface Change {
  readonly reset: boolean;
  /** When it was written (RFC 3339). */
  readonly at: string;
  readonly added: readonly unknown[];
  readonly removed: readonly unknown[];
}

// What was missed comes at once; after that, whatever comes is news.
const TOLD_WITHIN = 10_000;

/** Returns what is known of the gap that ended at `cameBackAt` once one more event came at `now`. */
export function countMissed(
  before: CatchUp | null,
  event: Change,
  cameBackAt: number | null,
  now: number,
): CatchUp | null {
  if (cameBackAt === null || now - cameBackAt > TOLD_WITHIN) return before;
  const same = before?.at === cameBackAt ? before : { at: cameBackAt, changes: 0, anew: false };
  if (event.reset) return { ...same, anew: true };
  if (Date.parse(event.at) > cameBackAt) return same;
  return { ...same, changes: same.changes + event.added.length + event.removed.length };
}

/** Returns what to say of a gap that ended at `cameBackAt`; null once it was said for long enough. */
export function toldCatchUp(
  catchUp: CatchUp | null,
  cameBackAt: number | null,
  connection: Connection,
  now: number,
): CatchUp | null {
  if (connection !== "live" || cameBackAt === null || now - cameBackAt > SAID_FOR) return null;
  return catchUp?.at === cameBackAt ? catchUp : { at: cameBackAt, changes: 0, anew: false };
}

const SAID_FOR = 20_000;
