import { expect, it } from "vitest";
import { sparklinePath } from "./sparklinePath";

const at = (hour: number) => `2026-05-01T${String(hour).padStart(2, "0")}:00:00Z`;

it("goes from the first time to the last and from the smallest value to the largest", () => {
  const points = [
    { at: at(0), value: 10 },
    { at: at(1), value: 20 },
    { at: at(4), value: 15 },
  ];
  expect(sparklinePath(points, 100, 20)).toBe("M0 20L25 0L100 10");
});

it("is level through one point, or through points that are all the same", () => {
  expect(sparklinePath([{ at: at(0), value: 7 }], 100, 20)).toBe("M0 10L100 10");
  expect(
    sparklinePath(
      [0, 2].map((hour) => ({ at: at(hour), value: 7 })),
      100,
      20,
    ),
  ).toBe("M0 10L100 10");
});

it("draws nothing where there is nothing", () => {
  expect(sparklinePath([], 100, 20)).toBe("");
});
