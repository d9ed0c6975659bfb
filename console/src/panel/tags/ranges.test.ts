import { expect, it } from "vitest";
import { startOf, summaryOf, withPresent } from "./ranges";

const NOW = Date.parse("2026-03-02T12:00:30Z");

it("begins a range at a whole minute, so that an answer can be kept for it", () => {
  expect(startOf("day", NOW)).toBe("2026-03-01T12:00:00.000Z");
  expect(startOf("week", NOW)).toBe("2026-02-23T12:00:00.000Z");
  expect(startOf("year", NOW)).toBeNull();
});

it("says how sizes went in four numbers", () => {
  const sizes = [4, 9, 2, 5].map((memberCount, hour) => ({ at: `2026-03-01T0${hour}:00:00Z`, memberCount }));
  expect(summaryOf(sizes)).toEqual({ first: 4, last: 5, low: 2, high: 9 });
  expect(summaryOf([])).toBeNull();
});

it("ends with what the feed told last, unless nothing was counted yet", () => {
  const counted = [{ at: "2026-03-01T00:00:00Z", memberCount: 1 }];
  expect(withPresent(counted, 3, "2026-03-01T00:00:09Z").at(-1)).toEqual({
    at: "2026-03-01T00:00:09Z",
    memberCount: 3,
  });
  expect(withPresent([], 3, "2026-03-01T00:00:09Z")).toEqual([]);
});
