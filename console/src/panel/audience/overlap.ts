import type { OverlapTagFragment, TagOverlapQuery } from "../../api/generated/graphql";

export type Pair = NonNullable<TagOverlapQuery["tagOverlap"]>[number];

export interface SizedTag {
  readonly tag: OverlapTagFragment;
  readonly size: number;
}

/** How many tags the API compares at once. */
export const MOST_COMPARED = 20;
/** How many pairs a picture of many tags shows. */
export const MOST_DRAWN = 24;

/** Lists the tags of some pairs, in the order in which they were asked for, with how many people have each. */
export function sizedTags(pairs: readonly Pair[]): SizedTag[] {
  const found = new Map<string, SizedTag>();
  for (const { a, b, both, onlyA, onlyB } of pairs) {
    if (!found.has(a.id)) found.set(a.id, { tag: a, size: both + onlyA });
    if (!found.has(b.id)) found.set(b.id, { tag: b, size: both + onlyB });
  }
  return [...found.values()];
}

/** Returns how many people have both of two tags; 0 for a pair that is not there. */
export function bothOf(pairs: readonly Pair[], one: string, other: string): number {
  const pair = pairs.find(({ a, b }) => (a.id === one && b.id === other) || (a.id === other && b.id === one));
  return pair?.both ?? 0;
}

/** Lists pairs with most people in common first, those without any left out, at most `count` of them. */
export function largestPairs(pairs: readonly Pair[], count = MOST_DRAWN): Pair[] {
  return pairs
    .filter(({ both }) => both > 0)
    .toSorted((one, other) => other.both - one.both)
    .slice(0, count);
}

/** Returns which share of the smaller of two tags has the other one too; null where nobody has either. */
export function shareOf({ both, onlyA, onlyB }: Pair): number | null {
  const smaller = both + Math.min(onlyA, onlyB);
  return smaller === 0 ? null : both / smaller;
}
