import { describe, expect, it } from "vitest";
import { relativeTime, remainingTime } from "./durations";

const NOON = Date.parse("2026-05-01T12:00:00Z");
const SECOND = 1000;
const HOUR = 3600 * SECOND;

describe("remainingTime", () => {
  it("names the two largest units that are left", () => {
    expect(remainingTime(NOON + 47 * HOUR + 12 * 60 * SECOND, NOON, "en-GB")).toBe("1d 23h");
    expect(remainingTime(NOON + 2 * HOUR + 5 * 60 * SECOND, NOON, "en-GB")).toBe("2h 05m");
    expect(remainingTime(NOON + 65 * SECOND, NOON, "en-GB")).toBe("1m 05s");
    expect(remainingTime(NOON + 9 * SECOND, NOON, "en-GB")).toBe("9s");
  });

  it("counts a second that has begun as left, and ends at the time itself", () => {
    expect(remainingTime(NOON + 1, NOON, "en-GB")).toBe("1s");
    expect(remainingTime(NOON, NOON, "en-GB")).toBeNull();
    expect(remainingTime(NOON - HOUR, NOON, "en-GB")).toBeNull();
  });

  it("speaks Chinese", () => {
    expect(remainingTime(NOON + 2 * HOUR, NOON, "zh-CN")).toBe("2小时 00分钟");
  });
});

describe("relativeTime", () => {
  it("says now for what is only seconds away", () => {
    expect(relativeTime(NOON - 4 * SECOND, NOON, "en-GB")).toBe("now");
  });

  it("looks back and ahead", () => {
    expect(relativeTime(NOON - 3 * 60 * SECOND, NOON, "en-GB")).toBe("3 minutes ago");
    expect(relativeTime(NOON + 2 * HOUR, NOON, "en-GB")).toBe("in 2 hours");
    expect(relativeTime(NOON - 47 * HOUR, NOON, "en-GB")).toBe("1 day ago");
    expect(relativeTime(NOON - 24 * HOUR, NOON, "zh-CN")).toBe("1天前");
  });

  it("is a date beyond a month", () => {
    expect(relativeTime(NOON - 60 * 24 * HOUR, NOON, "en-GB")).toBe("2 Mar 2026");
  });
});
