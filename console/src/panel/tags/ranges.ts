export const RANGES = ["day", "week", "month", "year"] as const;
export type Range = (typeof RANGES)[number];

const HOUR = 3_600_000;
const LONG: Record<Range, number | null> = {
  day: 24 * HOUR,
  week: 168 * HOUR,
  month: 720 * HOUR,
  year: null,
};

/** Returns where a range begins, to the minute; null for all that is kept. */
export function startOf(range: Range, now: number): string | null {
  const long = LONG[range];
  return long === null ? null : new Date(Math.floor((now - long) / 60_000) * 60_000).toISOString();
}

export interface Size {
  readonly at: string;
  readonly memberCount: number;
}

/** Says in four numbers how sizes went; null where there are none. */
export function summaryOf(
  sizes: readonly Size[],
): { first: number; last: number; low: number; high: number } | null {
  const counts = sizes.map(({ memberCount }) => memberCount);
  const [first, last] = [counts[0], counts.at(-1)];
  if (first === undefined || last === undefined) return null;
  return { first, last, low: Math.min(...counts), high: Math.max(...counts) };
}

/** Returns the sizes up to now: the feed tells the present number before it is sampled. */
export function withPresent(sizes: readonly Size[], memberCount: number, now: string): readonly Size[] {
  const last = sizes.at(-1);
  return last && last.at < now ? [...sizes, { at: now, memberCount }] : sizes;
}
