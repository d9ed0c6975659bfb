import type { BroadcastResponseQuery } from "../../../api/generated/graphql";

type Answer = NonNullable<BroadcastResponseQuery["broadcast"]>;
export type ResponseWithin = NonNullable<Answer["h1"]>;

/** What people did within so many hours of their message. */
export interface ResponsePoint extends ResponseWithin {
  readonly hours: number;
}

/** Returns what people did, by hours; empty before the start. */
export function pointsOf(answer: Answer | null | undefined): ResponsePoint[] {
  if (!answer) return [];
  const { h1, h3, h6, h12, h24, h48, h72, h168 } = answer;
  const found: readonly (readonly [number, ResponseWithin | null | undefined])[] = [
    [1, h1],
    [3, h3],
    [6, h6],
    [12, h12],
    [24, h24],
    [48, h48],
    [72, h72],
    [168, h168],
  ];
  return found.flatMap(([hours, within]) => (within ? [{ ...within, hours }] : []));
}

/**
 * Leaves out the points that are still to come: of a message that was sent two hours ago the first is of three hours, and
 * what is said of 48 hours would look like a standstill.
 */
export function reached(points: readonly ResponsePoint[], startedAt: string, now: number): ResponsePoint[] {
  const passed = (now - Date.parse(startedAt)) / 3_600_000;
  const last = points.findIndex(({ hours }) => hours >= passed);
  return last < 0 ? [...points] : points.slice(0, last + 1);
}

/** Returns a share of people, 0 to 1; 0 of nobody. */
export function share(count: number, all: number): number {
  return all > 0 ? count / all : 0;
}

/** Returns the path of a line through shares, spread over a width; the largest reaches the top of the height. */
export function linePath(shares: readonly number[], most: number, width: number, height: number): string {
  const step = shares.length > 1 ? width / (shares.length - 1) : 0;
  return shares
    .map(
      (value, index) =>
        `${index === 0 ? "M" : "L"}${round(index * step)} ${round(height * (1 - value / (most || 1)))}`,
    )
    .join("");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
