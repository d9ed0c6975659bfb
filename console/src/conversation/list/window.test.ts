import { describe, expect, it } from "vitest";
import { rowByKey, rowsInSight, scrollToRow } from "./window";

describe("rowsInSight", () => {
  it.each([
    [0, { first: 0, end: 12 }],
    [95, { first: 7, end: 22 }],
    [5_000, { first: 498, end: 512 }],
    [9_950, { first: 993, end: 1_000 }],
    [99_999, { first: 998, end: 1_000 }],
  ])("scrolled by %i", (scrolled, expected) => {
    expect(rowsInSight(scrolled, 100, 10, 1_000, 2)).toEqual(expected);
  });

  it("is nothing of nothing", () => {
    expect(rowsInSight(50, 100, 10, 0, 2)).toEqual({ first: 0, end: 0 });
  });
});

describe("scrollToRow", () => {
  it("moves only as far as it has to", () => {
    expect(scrollToRow(3, 0, 100, 10)).toBe(0);
    expect(scrollToRow(10, 0, 100, 10)).toBe(10);
    expect(scrollToRow(3, 50, 100, 10)).toBe(30);
  });
});

describe("rowByKey", () => {
  it.each([
    ["ArrowDown", 5, 6],
    ["ArrowDown", 9, 9],
    ["ArrowUp", 0, 0],
    ["PageDown", 5, 8],
    ["PageUp", 1, 0],
    ["Home", 5, 0],
    ["End", 5, 9],
    ["a", 5, null],
  ])("%s from %i", (key, from, expected) => expect(rowByKey(key, from, 10, 3)).toBe(expected));
});
