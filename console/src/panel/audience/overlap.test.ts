import { expect, it } from "vitest";
import { bothOf, largestPairs, type Pair, shareOf, sizedTags } from "./overlap";

const tag = (id: string) =>
  ({ __typename: "ComboTag", id, kind: "COMBO", category: "C", name: id }) as Pair["a"];
const pair = (a: string, b: string, both: number, onlyA: number, onlyB: number): Pair => ({
  __typename: "TagPairOverlap",
  a: tag(a),
  b: tag(b),
  both,
  onlyA,
  onlyB,
});
const PAIRS = [pair("A", "B", 4, 6, 1), pair("A", "C", 0, 10, 3), pair("B", "C", 2, 3, 1)];

it("knows the size of each tag once", () => {
  expect(sizedTags(PAIRS).map(({ tag, size }) => `${tag.id} ${size}`)).toEqual(["A 10", "B 5", "C 3"]);
});

it("finds a pair whichever comes first", () => {
  expect(bothOf(PAIRS, "B", "A")).toBe(4);
  expect(bothOf(PAIRS, "A", "D")).toBe(0);
});

it("draws the largest pairs, and none without people", () => {
  expect(largestPairs(PAIRS).map(({ both }) => both)).toEqual([4, 2]);
  expect(largestPairs(PAIRS, 1)).toHaveLength(1);
});

it("compares with the smaller tag", () => {
  expect(PAIRS.map(shareOf)).toEqual([0.8, 0, 2 / 3]);
  expect(shareOf(pair("A", "B", 0, 0, 0))).toBeNull();
});
