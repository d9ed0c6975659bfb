import { expect, it } from "vitest";
import { isTold, stateOfDelivery } from "./states";

const NEVER_TRIED = { attempts: 0, error: null, nextAttemptAt: null, deliveredAt: null };
const AT = "2026-11-30T12:00:00Z";

it("says what became of a delivery", () => {
  expect(stateOfDelivery({ ...NEVER_TRIED, nextAttemptAt: AT })).toBe("WAITING");
  expect(stateOfDelivery({ ...NEVER_TRIED, attempts: 2, error: "STATUS", nextAttemptAt: AT })).toBe(
    "RETRYING",
  );
  expect(stateOfDelivery({ ...NEVER_TRIED, attempts: 1, deliveredAt: AT })).toBe("DELIVERED");
  expect(stateOfDelivery({ ...NEVER_TRIED, attempts: 1, error: "DNS" })).toBe("FAILED");
  expect(stateOfDelivery(NEVER_TRIED)).toBe("GIVEN_UP");
});

it("says of a delivery that is sent once more how that went, not how it went before", () => {
  const again = { ...NEVER_TRIED, attempts: 2, deliveredAt: AT };
  expect(stateOfDelivery({ ...again, nextAttemptAt: AT })).toBe("WAITING");
  expect(stateOfDelivery({ ...again, error: "TIMEOUT" })).toBe("FAILED");
});

it("knows which states are told nothing", () => {
  expect(["ACTIVE", "RETRYING", "FAILING"].every((state) => isTold(state as "ACTIVE"))).toBe(true);
  expect(isTold("OFF") || isTold("GONE")).toBe(false);
});
