import { describe, expect, it } from "vitest";
import { countMissed, toldCatchUp } from "./catchUp";

const BACK = Date.parse("2026-03-01T12:00:00Z");
const missed = { reset: false, at: "2026-03-01T11:59:00Z", added: [1], removed: [2, 3] };

describe("countMissed", () => {
  it("counts what was written before the line was back", () => {
    const first = countMissed(null, missed, BACK, BACK + 10);
    expect(first).toEqual({ at: BACK, changes: 3, anew: false });
    expect(countMissed(first, missed, BACK, BACK + 20)?.changes).toBe(6);
  });

  it("does not count what is new, nor before any gap", () => {
    expect(countMissed(null, { ...missed, at: "2026-03-01T12:00:01Z" }, BACK, BACK + 1_500)?.changes).toBe(0);
    expect(countMissed(null, missed, null, BACK)).toBeNull();
    expect(countMissed(null, missed, BACK, BACK + 11_000)).toBeNull();
  });

  it("begins anew with each gap", () => {
    const first = countMissed(null, missed, BACK, BACK + 10);
    expect(countMissed(first, missed, BACK + 60_000, BACK + 60_010)?.changes).toBe(3);
  });

  it("tells that everything was loaded anew", () => {
    expect(countMissed(null, { ...missed, reset: true }, BACK, BACK + 10)).toEqual({
      at: BACK,
      changes: 0,
      anew: true,
    });
  });
});

describe("toldCatchUp", () => {
  it("says for a while that nothing was missed, even where nothing came", () => {
    expect(toldCatchUp(null, BACK, "live", BACK + 100)).toEqual({ at: BACK, changes: 0, anew: false });
    expect(toldCatchUp(null, BACK, "live", BACK + 21_000)).toBeNull();
  });

  it("says nothing while the line is down, or where it never was", () => {
    expect(toldCatchUp(null, BACK, "reconnecting", BACK + 100)).toBeNull();
    expect(toldCatchUp(null, null, "live", BACK)).toBeNull();
  });
});
