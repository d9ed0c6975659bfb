import { describe, expect, it } from "vitest";
import { pathOf, sizeAt, stepsOf } from "./steps";

function sizes(...counts: number[]) {
  return counts.map((memberCount, hour) => ({ at: `2026-11-30T${10 + hour}:00:00Z`, memberCount }));
}

describe("sizes as a picture", () => {
  it("are steps that hold until the next, between round numbers", () => {
    const steps = stepsOf(sizes(3, 11, 8));
    expect(steps.counts.map(({ count }) => count)).toEqual([2, 4, 6, 8, 10, 12]);
    expect(steps.points.map(({ x }) => x)).toEqual([0, 0.5, 1]);
    expect(pathOf(steps, 100, 50)).toBe("M0.0 45.0H50.0V5.0H100.0V20.0");
    expect([0, 0.49, 0.5, 1].map((x) => sizeAt(steps, x))).toEqual([0, 0, 1, 2]);
  });

  it("have room above and below where nothing changes, but not below nobody", () => {
    expect(stepsOf(sizes(7, 7)).counts.map(({ count }) => count)).toEqual([6, 7, 8]);
    expect(stepsOf(sizes(0)).counts.map(({ count }) => count)).toEqual([0, 1]);
  });

  it("begin no later than ten minutes before the last one", () => {
    const steps = stepsOf(sizes(4));
    expect(steps.to - steps.from).toBe(600_000);
    expect(steps.points[0]?.x).toBe(1);
    expect(sizeAt(steps, 0.2)).toBe(0);
  });

  it("have whole numbers beside them however large they are", () => {
    const { counts } = stepsOf(sizes(1_234_567, 1_240_000));
    expect(counts.map(({ count }) => count)).toEqual([1_234_000, 1_236_000, 1_238_000, 1_240_000]);
  });
});
