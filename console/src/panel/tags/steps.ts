import type { Size } from "./ranges";

/** What was counted for the first time a moment ago is not drawn as if that moment were long. */
const SHORTEST = 600_000;
const TICKS = 4;

/** A place in a picture: 0 is the left or upper edge of it, 1 the right or lower one. */
type Share = number;

/** Sizes as a picture draws them, and which numbers and times stand beside it. */
export interface Steps {
  /** Where each size begins, and how high it is. */
  readonly points: readonly { readonly x: Share; readonly y: Share }[];
  readonly counts: readonly { readonly y: Share; readonly count: number }[];
  readonly from: number;
  readonly to: number;
}

/** Lays out sizes, oldest first and at least one, for a picture in which each holds until the next. */
export function stepsOf(sizes: readonly Size[]): Steps {
  const times = sizes.map(({ at }) => Date.parse(at));
  const to = times.at(-1) ?? 0;
  const from = Math.min(times[0] ?? to, to - SHORTEST);
  const members = sizes.map(({ memberCount }) => memberCount);
  const counts = ticksFor(Math.min(...members), Math.max(...members));
  const [low, high] = [counts[0] ?? 0, counts.at(-1) ?? 1];
  const yOf = (count: number) => (high - count) / (high - low);
  return {
    points: sizes.map(({ memberCount }, place) => ({
      x: ((times[place] ?? to) - from) / (to - from),
      y: yOf(memberCount),
    })),
    counts: counts.map((count) => ({ y: yOf(count), count })),
    from,
    to,
  };
}

/** Returns round whole numbers, ascending and evenly spaced, from `low` or less to `high` or more. */
function ticksFor(low: number, high: number): number[] {
  const [bottom, top] = low === high ? [Math.max(0, low - 1), high + 1] : [low, high];
  const step = roundUp((top - bottom) / TICKS);
  const first = Math.floor(bottom / step);
  const last = Math.ceil(top / step);
  return Array.from({ length: last - first + 1 }, (_, place) => (first + place) * step);
}

/** Returns the next 1, 2 or 5 times a power of ten, at least 1. */
function roundUp(step: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, step)));
  return ([1, 2, 5, 10].find((factor) => factor * power >= step) ?? 10) * power;
}

/** Draws steps as the path of an SVG that is `width` wide and `height` high. */
export function pathOf({ points }: Steps, width: number, height: number): string {
  return points
    .map(({ x, y }, place) => {
      const [right, down] = [(x * width).toFixed(1), (y * height).toFixed(1)];
      return place === 0 ? `M${right} ${down}` : `H${right}V${down}`;
    })
    .join("");
}

/** Returns which size holds at a place of the picture: the last that began before it. */
export function sizeAt({ points }: Steps, x: Share): number {
  return Math.max(
    0,
    points.findLastIndex((point) => point.x <= x),
  );
}
