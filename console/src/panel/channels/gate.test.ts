import { expect, it } from "vitest";
import { closedBy } from "./gate";

const open = { kind: "SERVICE_ACCOUNT", bound: true, verified: true } as const;

it("is open for a bound channel of a robot with a verified Official Account", () => {
  expect(closedBy(open, true)).toBeNull();
  expect(closedBy({ ...open, verified: false }, true)).toBeNull();
  expect(closedBy({ kind: "MINI_PROGRAM", bound: true, verified: false }, true)).toBeNull();
});

it("is closed for every channel of a robot without one", () => {
  expect(closedBy({ ...open, verified: false }, false)).toBe("robot");
});

it("is closed for a channel that is unbound, or a subscription account that is not verified", () => {
  expect(closedBy({ ...open, bound: false }, true)).toBe("unbound");
  expect(closedBy({ kind: "SUBSCRIPTION_ACCOUNT", bound: true, verified: false }, true)).toBe("unverified");
});
