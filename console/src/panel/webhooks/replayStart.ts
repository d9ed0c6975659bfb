/** From where on a channel is told again, as it is entered: `since` as an input of date and time writes it. */
export interface ReplayStart {
  readonly from: "instant" | "cursor";
  readonly since: string;
  readonly cursor: string;
}

const HOUR = 3_600_000;

/** Returns where to begin if nothing is entered: an hour ago. `now` is in milliseconds of Unix time. */
export function anHourAgo(now: number): string {
  const at = new Date(now - HOUR);
  // What an input shows is the time of the place, without a zone.
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Returns the start as the service takes it; both null where nothing was entered, which it refuses. */
export function startOf({ from, since, cursor }: ReplayStart): {
  since: string | null;
  cursor: string | null;
} {
  if (from === "cursor") return { since: null, cursor: cursor.trim() || null };
  const at = new Date(since);
  return { since: Number.isNaN(at.getTime()) ? null : at.toISOString(), cursor: null };
}
