import { expect, it } from "vitest";
import type { JobRowFragment } from "../../api/generated/graphql";
import { jobs } from "../../i18n/en/jobs";
import { adviceOf, isFinished, kindOf, peopleOf } from "./jobWords";

const job = (more: object) =>
  ({ done: 0, total: null, errorCode: null, ...more }) as unknown as JobRowFragment;

it("tells a plan from a sync, and names what it does not know yet", () => {
  expect(kindOf(job({ __typename: "OfficialAccountSync", dryRun: true }), jobs)).toBe(jobs.kinds.plan);
  expect(kindOf(job({ __typename: "OfficialAccountSync", dryRun: false }), jobs)).toBe(jobs.kinds.sync);
  expect(kindOf(job({ __typename: "SomethingNew" }), jobs)).toBe(jobs.kinds.other);
});

it("counts people as far as the number is known", () => {
  expect(peopleOf(job({}), jobs)).toBeNull();
  expect(peopleOf(job({ done: 3 }), jobs)).toBe("3 people so far");
  expect(peopleOf(job({ done: 0, total: 1200 }), jobs)).toBe("0 of 1,200 people");
});

it("says what to do about a failure that it knows", () => {
  expect(adviceOf(job({ errorCode: "CONFLICT" }), jobs)).toContain("new plan");
  expect(adviceOf(job({ errorCode: "SOMETHING_NEW" }), jobs)).toBeNull();
  expect(adviceOf(job({}), jobs)).toBeNull();
});

it("knows which states are final", () => {
  expect(isFinished("CANCELLED")).toBe(true);
  expect(isFinished("WAITING")).toBe(false);
});
