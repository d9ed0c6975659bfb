import type { Problem } from "../../api/problem";

const HOUR = 3_600_000;
export const STEPS = ["hour", "day", "week"] as const;
export type Step = (typeof STEPS)[number];
const LONG: Record<Step, number> = { hour: HOUR, day: 24 * HOUR, week: 168 * HOUR };

/** Returns the instant a step before `now`, both as UTC, to the whole second that is not earlier. */
export function stepBefore(step: Step, now: number): string {
  return wholeSecond(now - LONG[step]);
}

/** Returns an instant that an address names (RFC 3339); null for none, and for what is not one. */
export function readInstant(text: string | null): string | null {
  const at = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(at) ? null : new Date(at).toISOString();
}

/** Writes an instant as an input of the browser has it, in the reader's zone, to the second; empty for none. */
export function localSecond(instant: string | null): string {
  if (instant === null) return "";
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Returns the earliest instant that the service names where one was too early; null for every other problem. */
export function earliestOf(problem: Problem | null): string | null {
  const field = problem?.fields.find(({ code }) => code === "TOO_EARLY");
  return field?.message.match(/\d{4}-\d\d-\d\dT[\d:.]+Z/)?.[0] ?? null;
}

export function wholeSecond(at: number): string {
  return new Date(Math.ceil(at / 1000) * 1000).toISOString();
}
