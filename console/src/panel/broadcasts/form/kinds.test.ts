import { expect, it } from "vitest";
import { kindsFor, MESSAGE_KINDS, needsVerification } from "./kinds";

it("offers each account the kinds that it can send", () => {
  expect(kindsFor("SERVICE_ACCOUNT")).toEqual(
    MESSAGE_KINDS.filter((kind) => kind !== "MINI_PROGRAM_SUBSCRIPTION"),
  );
  expect(kindsFor("SUBSCRIPTION_ACCOUNT")).toEqual([
    "MASS_TEXT",
    "MASS_IMAGE",
    "MASS_ARTICLE",
    "CUSTOMER_SERVICE_TEXT",
  ]);
  expect(kindsFor("MINI_PROGRAM")).toEqual(["CUSTOMER_SERVICE_TEXT", "MINI_PROGRAM_SUBSCRIPTION"]);
});

it("asks Official Accounts to be verified, and Mini Programs not", () => {
  expect(needsVerification("CUSTOMER_SERVICE_TEXT", "SUBSCRIPTION_ACCOUNT")).toBe(true);
  expect(needsVerification("CUSTOMER_SERVICE_TEXT", "MINI_PROGRAM")).toBe(false);
});
