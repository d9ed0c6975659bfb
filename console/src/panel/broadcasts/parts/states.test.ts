import { describe, expect, it } from "vitest";
import type { JobState, WaitReason } from "../../../api/generated/graphql";
import { actsOn, isShown, needsAttention, SHOWS } from "./states";

function progress(state: JobState, waitingFor: WaitReason | null = null, more: object = {}) {
  return { state, waitingFor, matched: 0, uncertain: 0, nextRunAt: null, ...more };
}
const doneWith = (uncertain: number) => progress("DONE", null, { matched: 9, uncertain });

describe("actsOn", () => {
  const names = (...given: Parameters<typeof progress>) =>
    Object.entries(actsOn(progress(...given)))
      .filter(([, possible]) => possible)
      .map(([name]) => name);

  it("offers what fits the state, and no more", () => {
    expect(names("WAITING", "START_TIME")).toEqual(["pause", "cancel", "change"]);
    expect(names("WAITING_FOR_APPROVAL", "SECOND_ADMIN")).toEqual(["approve", "pause", "cancel", "change"]);
    expect(names("WAITING_FOR_APPROVAL", "WECHAT_ADMIN", { matched: 9 })).toEqual([
      "pause",
      "resume",
      "cancel",
    ]);
    expect(names("RUNNING", null, { matched: 9 })).toEqual(["pause", "cancel"]);
    expect(names("PAUSED", "OPERATOR", { matched: 9 })).toEqual(["resume", "cancel", "retry"]);
    expect(names("WAITING", "CONFIGURATION", { matched: 9 })).toEqual(["pause", "resume", "cancel"]);
    expect(names("DONE", null, { matched: 9 })).toEqual(["retry"]);
    expect(names("CANCELLED")).toEqual([]);
    expect(names("FAILED")).toEqual([]);
  });

  it("lets a series be ended whose first run is over", () => {
    expect(names("DONE", null, { matched: 9, nextRunAt: "2026-12-01T02:00:00Z" })).toEqual([
      "cancel",
      "retry",
    ]);
  });
});

describe("isShown", () => {
  it("shows each broadcast among all, and as either under way or ended", () => {
    for (const state of ["QUEUED", "RUNNING", "PAUSED", "DONE", "FAILED", "CANCELLED"] as const) {
      const shown = SHOWS.filter((show) => isShown(show, progress(state)));
      expect(shown).toContain("ALL");
      expect(shown.includes("OPEN")).toBe(!shown.includes("ENDED"));
    }
  });

  it("points at what somebody has to look at", () => {
    expect(needsAttention(progress("PAUSED", "OPERATOR"))).toBe(true);
    expect(needsAttention(progress("WAITING_FOR_APPROVAL", "SECOND_ADMIN"))).toBe(true);
    expect(needsAttention(progress("WAITING", "CONFIGURATION"))).toBe(true);
    expect(needsAttention(progress("WAITING", "QUIET_HOURS"))).toBe(false);
    expect(needsAttention(doneWith(1))).toBe(true);
    expect(needsAttention(doneWith(0))).toBe(false);
  });
});
