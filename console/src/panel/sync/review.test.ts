import { expect, it } from "vitest";
import type { SyncRunFragment } from "../../api/generated/graphql";
import { durationOf, obstacleOf, type SyncTagPlan, sumOf } from "./review";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const LATER = "2026-03-01T12:00:01Z";

const plan = (action: SyncTagPlan["action"], toAdd = 0, toRemove = 0) =>
  ({
    action,
    toAdd,
    toRemove,
    unchanged: 1,
    atTagLimit: 0,
    drift: 0,
    added: 0,
    removed: 0,
    failed: 0,
  }) as SyncTagPlan;
const sync = (planExpiresAt: string | null, ...tags: SyncTagPlan[]) =>
  ({ planExpiresAt, tags }) as unknown as SyncRunFragment;

it("adds up all tags", () => {
  expect(sumOf([plan("UPDATE", 5, 2), plan("CREATE", 7)])).toMatchObject({
    toAdd: 12,
    toRemove: 2,
    unchanged: 2,
  });
});

it("applies a plan while it is good and does anything", () => {
  expect(obstacleOf(sync(LATER, plan("NOTHING"), plan("CREATE")), NOW)).toBeNull();
  expect(obstacleOf(sync("2026-03-01T12:00:00Z", plan("CREATE")), NOW)).toBe("expired");
  expect(obstacleOf(sync(LATER, plan("NOTHING"), plan("REFUSED")), NOW)).toBe("nothing");
  expect(obstacleOf(sync(LATER, plan("REFUSED")), NOW)).toBe("refused");
});

it("rounds up how long it takes", () => {
  expect(durationOf(0)).toEqual(["seconds", 1]);
  expect(durationOf(89.5)).toEqual(["seconds", 90]);
  expect(durationOf(91)).toEqual(["minutes", 2]);
  expect(durationOf(5_401)).toEqual(["hours", 2]);
});
