import { describe, expect, it } from "vitest";
import type { Problem } from "../../api/problem";
import { earliestOf, localSecond, readInstant, stepBefore } from "./instants";

const NOW = Date.parse("2026-11-30T14:00:00.250Z");

describe("instants to look back to", () => {
  it("are a step before now, and never a moment more", () => {
    expect(stepBefore("hour", NOW)).toBe("2026-11-30T13:00:01.000Z");
    expect(stepBefore("week", NOW)).toBe("2026-11-23T14:00:01.000Z");
  });

  it("are read from an address, if they are any", () => {
    expect(readInstant("2026-11-30T15:00:00+01:00")).toBe("2026-11-30T14:00:00.000Z");
    expect(readInstant("yesterday")).toBeNull();
    expect(readInstant(null)).toBeNull();
  });

  it("are what is typed in the reader's zone", () => {
    const written = localSecond("2026-11-30T14:00:05.000Z");
    expect(new Date(written).toISOString()).toBe("2026-11-30T14:00:05.000Z");
    expect(localSecond(null)).toBe("");
  });

  it("begin with the one that the service names", () => {
    const message = "That is longer ago than is known: the earliest instant is 2026-11-23T14:00:00Z.";
    expect(earliestOf(refused("TOO_EARLY", message))).toBe("2026-11-23T14:00:00Z");
    expect(earliestOf(refused("IN_FUTURE", message))).toBeNull();
    expect(earliestOf(null)).toBeNull();
  });
});

function refused(code: string, message: string): Problem {
  const fields = [{ path: ["asOf"], code, message }];
  return { code: "BAD_USER_INPUT", message, fields, retryAfter: null, requestId: null, errcode: null };
}
