import { expect, it } from "vitest";
import { isLastKey } from "./gateKeeping";

const account = { id: "c1", kind: "SERVICE_ACCOUNT", bound: true, verified: true };

it("is the last one beside what opens no gate: Mini Programs, unverified and unbound accounts", () => {
  const others = [
    account,
    { ...account, id: "c2", kind: "MINI_PROGRAM" },
    { ...account, id: "c3", verified: false },
    { ...account, id: "c4", bound: false },
  ];
  expect(isLastKey(account, others)).toBe(true);
  expect(isLastKey({ ...account, kind: "MINI_PROGRAM" }, others)).toBe(false);
});

it("is not the last one beside another verified Official Account", () => {
  expect(isLastKey(account, [account, { ...account, id: "c2", kind: "SUBSCRIPTION_ACCOUNT" }])).toBe(false);
});
