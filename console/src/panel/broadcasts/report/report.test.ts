import { describe, expect, it } from "vitest";
import { countsOf, PARTS, retryableOf } from "./parts";
import { linePath, pointsOf, type ResponsePoint, reached, share } from "./responseSeries";

describe("countsOf", () => {
  const report = {
    sent: 5,
    failed: 2,
    uncertain: 1,
    planned: 4,
    held: [
      { __typename: "HeldBack" as const, reason: "HOLD_OUT" as const, count: 3 },
      { __typename: "HeldBack" as const, reason: "NO_VALUE" as const, count: 1 },
    ],
    unsendable: [{ __typename: "HeldBack" as const, reason: "NOT_FOLLOWING" as const, count: 7 }],
    failures: [
      { __typename: "BroadcastFailure" as const, errcode: 45047, reason: "", retryable: true, count: 1 },
      { __typename: "BroadcastFailure" as const, errcode: 43004, reason: "", retryable: false, count: 1 },
    ],
  };

  it("puts everybody into one part", () => {
    const counts = countsOf(report);
    expect(counts).toEqual({ sent: 5, failed: 2, uncertain: 1, planned: 4, held: 4, unsendable: 7 });
    expect(PARTS.reduce((sum, part) => sum + counts[part], 0)).toBe(23);
  });

  it("counts who may be sent to again", () => {
    expect(retryableOf(report)).toBe(1);
  });
});

describe("the response", () => {
  const within = { __typename: "BroadcastResponse" as const };
  const point = (hours: number): ResponsePoint => ({
    ...within,
    hours,
    sent: 10,
    sentMessaged: hours,
    sentUnfollowed: 0,
    heldOut: 0,
    heldOutMessaged: 0,
    heldOutUnfollowed: 0,
  });
  const points = [1, 3, 6, 12].map(point);
  const STARTED = "2026-12-01T00:00:00Z";
  const hoursLater = (hours: number) => Date.parse(STARTED) + hours * 3_600_000;

  it("ends with the hour that is under way", () => {
    expect(reached(points, STARTED, hoursLater(0.5)).map(({ hours }) => hours)).toEqual([1]);
    expect(reached(points, STARTED, hoursLater(4)).map(({ hours }) => hours)).toEqual([1, 3, 6]);
    expect(reached(points, STARTED, hoursLater(1_000))).toEqual(points);
  });

  it("is empty before the start", () => {
    expect(pointsOf(null)).toEqual([]);
  });

  it("is a share of people, of nobody none", () => {
    expect(share(3, 12)).toBe(0.25);
    expect(share(0, 0)).toBe(0);
  });

  it("is drawn from edge to edge, the largest at the top", () => {
    expect(linePath([0, 0.1, 0.2], 0.2, 100, 50)).toBe("M0 50L50 25L100 0");
    expect(linePath([0, 0], 0, 100, 50)).toBe("M0 50L100 50");
  });
});
