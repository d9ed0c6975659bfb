import { describe, expect, it } from "vitest";
import { boxAround, commonArea, distanceFor, eulerCircles, radiusOf } from "./circles";

describe("two circles", () => {
  it.each([
    [100, 100, 50],
    [1000, 10, 5],
    [300, 200, 199],
    [50, 70, 1],
  ])("of %i and %i people have %i in common", (a, b, both) => {
    const [r1, r2] = [radiusOf(a), radiusOf(b)];
    expect(commonArea(r1, r2, distanceFor(r1, r2, both))).toBeCloseTo(both, 3);
  });

  it("touch where nobody has both, and lie in each other where all have", () => {
    expect(distanceFor(3, 2, 0)).toBe(5);
    expect(distanceFor(3, 2, Math.PI * 4)).toBe(1);
    expect(distanceFor(3, 2, 1000)).toBe(1);
  });

  it("need no people", () => {
    expect(eulerCircles([0, 0], () => 0).every(({ x, r }) => x === 0 && r === 0)).toBe(true);
    expect(Number.isFinite(boxAround(eulerCircles([0, 0], () => 0)).width)).toBe(true);
  });
});

describe("three circles", () => {
  it("have in common what each pair has", () => {
    const both = [
      [0, 40, 30],
      [40, 0, 20],
      [30, 20, 0],
    ];
    const circles = eulerCircles([100, 90, 80], (a, b) => both[a]?.[b] ?? 0);
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ] as const) {
      const [one, other] = [circles[a], circles[b]];
      if (!one || !other) throw new Error("there are three");
      const distance = Math.hypot(one.x - other.x, one.y - other.y);
      expect(commonArea(one.r, other.r, distance)).toBeCloseTo(both[a]?.[b] ?? 0, 2);
    }
  });

  it("are placed where no triangle fits", () => {
    const circles = eulerCircles([1000, 10, 10], (a, b) => (a + b === 3 ? 0 : 10));
    expect(circles.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y))).toBe(true);
  });
});
