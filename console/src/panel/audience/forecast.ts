/** How many people can be reached at an hour. */
export interface Reached {
  readonly at: string;
  readonly count: number;
}

export const SPANS = ["24", "48", "168"] as const;
export type Span = (typeof SPANS)[number];

export interface Outlook {
  /** The last hour at which at least half of those of now can be reached; null if there is none. */
  readonly half: Reached | null;
  /** Whether that is the last hour that was asked for, so that it may be longer. */
  readonly isThroughout: boolean;
  /** The first hour at which nobody can be reached; null if somebody always can. */
  readonly none: Reached | null;
  readonly last: Reached;
}

/** Says in a few instants how a forecast goes on from the `now` people who can be reached; null without hours. */
export function outlookOf(hours: readonly Reached[], now: number): Outlook | null {
  const last = hours.at(-1);
  if (!last) return null;
  const half = hours.findLast(({ count }) => count > 0 && count * 2 >= now) ?? null;
  return { half, isThroughout: half === last, none: hours.find(({ count }) => count === 0) ?? null, last };
}

/** Returns the instant at which a broadcast had best begin, to reach at least half; null for as soon as can be. */
export function beginOf({ half, isThroughout }: Outlook): string | null {
  return half && !isThroughout ? half.at : null;
}
