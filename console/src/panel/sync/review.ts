import type { SyncRunFragment } from "../../api/generated/graphql";

export type SyncTagPlan = SyncRunFragment["tags"][number];
const NUMBERS = [
  "toAdd",
  "toRemove",
  "unchanged",
  "atTagLimit",
  "drift",
  "added",
  "removed",
  "failed",
] as const;
export type Numbers = Record<(typeof NUMBERS)[number], number>;

/** Adds up what a sync does about all of its tags. */
export function sumOf(tags: readonly SyncTagPlan[]): Numbers {
  const sum: Numbers = {
    toAdd: 0,
    toRemove: 0,
    unchanged: 0,
    atTagLimit: 0,
    drift: 0,
    added: 0,
    removed: 0,
    failed: 0,
  };
  for (const tag of tags) for (const name of NUMBERS) sum[name] += tag[name];
  return sum;
}

export type Obstacle = "expired" | "nothing" | "refused";

/** Returns why a plan that was made cannot be applied; null if it can. */
export function obstacleOf({ tags, planExpiresAt }: SyncRunFragment, now: number): Obstacle | null {
  if (planExpiresAt !== null && Date.parse(planExpiresAt) <= now) return "expired";
  if (tags.length > 0 && tags.every(({ action }) => action === "REFUSED")) return "refused";
  const idle = tags.every(({ action }) => action === "NOTHING" || action === "REFUSED");
  return idle ? "nothing" : null;
}

export type Duration = readonly [unit: "seconds" | "minutes" | "hours", count: number];

/** Rounds seconds up to what people plan with. */
export function durationOf(seconds: number): Duration {
  if (seconds < 90) return ["seconds", Math.max(1, Math.ceil(seconds))];
  if (seconds < 5_400) return ["minutes", Math.ceil(seconds / 60)];
  return ["hours", Math.ceil(seconds / 3_600)];
}
