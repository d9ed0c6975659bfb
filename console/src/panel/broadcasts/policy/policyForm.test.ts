import { describe, expect, it } from "vitest";
import type { RulesOfBroadcastsFragment } from "../../../api/generated/graphql";
import { changesOf, formOf, loosensApproval, NEVER } from "./policyForm";

const RULES: RulesOfBroadcastsFragment = {
  __typename: "BroadcastPolicy",
  timeZone: "Asia/Shanghai",
  quietHours: { __typename: "QuietHours", from: "21:00", to: "09:00" },
  respectHolidays: true,
  perPersonPerDay: 1,
  perPersonRolling: null,
  approvalAbove: 100,
  missedStartAfter: 3_600,
  duplicateWithinDays: 7,
};
const before = formOf(RULES);

describe("changesOf", () => {
  it("is nothing for a form that is as the policy is", () => {
    expect(changesOf(before, before)).toEqual({});
  });

  it("names only what was changed, and ends rules by null", () => {
    expect(changesOf({ ...before, quiet: false, perDay: "" }, before)).toEqual({
      quietHours: null,
      perPersonPerDay: null,
    });
    expect(changesOf({ ...before, rolling: true, rollingMessages: "3", rollingDays: "7" }, before)).toEqual({
      perPersonRolling: { messages: 3, days: 7 },
    });
    expect(changesOf({ ...before, missed: "1.5", duplicateDays: "0" }, before)).toEqual({
      missedStartAfter: 90,
      duplicateWithinDays: 0,
    });
  });

  it("reads never, and writes it", () => {
    const never = formOf({ ...RULES, missedStartAfter: NEVER });
    expect(never.missed).toBe("");
    expect(changesOf({ ...before, missed: "" }, before)).toEqual({ missedStartAfter: null });
    expect(changesOf({ ...never, missed: "60" }, never)).toEqual({ missedStartAfter: 3_600 });
  });
});

it("tells what only a creator may do with the threshold of approvals", () => {
  const none = { ...before, approvalAbove: "" };
  expect(loosensApproval({ ...before, approvalAbove: "99" }, before)).toBe(false);
  expect(loosensApproval({ ...before, approvalAbove: "101" }, before)).toBe(true);
  expect(loosensApproval(none, before)).toBe(true);
  expect(loosensApproval(before, none)).toBe(true);
  expect(loosensApproval({ ...before, perDay: "5" }, before)).toBe(false);
});
