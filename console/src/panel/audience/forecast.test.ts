import { describe, expect, it } from "vitest";
import { beginOf, outlookOf } from "./forecast";

function falling(...counts: number[]) {
  return counts.map((count, hour) => ({ at: `2026-11-30T${15 + hour}:00:00Z`, count }));
}

describe("a forecast", () => {
  it("names the last hour at which half can be reached", () => {
    const outlook = outlookOf(falling(9, 5, 4, 0), 10);
    expect(outlook?.half).toEqual({ at: "2026-11-30T16:00:00Z", count: 5 });
    expect(outlook?.isThroughout).toBe(false);
    expect(outlook?.none?.at).toBe("2026-11-30T18:00:00Z");
    expect(outlook && beginOf(outlook)).toBe("2026-11-30T16:00:00Z");
  });

  it("names none where fewer can be reached from the first hour on", () => {
    const outlook = outlookOf(falling(4, 1), 10);
    expect(outlook?.half).toBeNull();
    expect(outlook?.none).toBeNull();
    expect(outlook && beginOf(outlook)).toBeNull();
  });

  it("does not say when it is over if that is later than was asked", () => {
    const outlook = outlookOf(falling(10, 10), 10);
    expect(outlook?.isThroughout).toBe(true);
    expect(outlook && beginOf(outlook)).toBeNull();
  });

  it("needs two of three for half of them", () => {
    expect(outlookOf(falling(2, 1), 3)?.half?.count).toBe(2);
    expect(outlookOf([], 3)).toBeNull();
  });
});
