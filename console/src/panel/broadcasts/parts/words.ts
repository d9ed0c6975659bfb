import type { HeldReason, JobState, RuleOfRepeatFragment, WaitReason } from "../../../api/generated/graphql";
import { formatCount } from "../../../i18n/format";
import type { Messages } from "../messages";

/** Returns the word of a state; one that a newer service added "waits". */
export function stateWord(m: Messages, state: JobState): string {
  return wordOf(m.broadcasts.states, state, m.broadcasts.otherState);
}

/** Returns what a broadcast waits for, and what somebody can do about it. */
export function waitWords(m: Messages, reason: WaitReason): { readonly what: string; readonly todo: string } {
  return wordOf(m.broadcasts.waits, reason, m.broadcasts.otherWait);
}

/** Returns why people are not sent to, as "(12 people) …". */
export function heldWord(m: Messages, reason: HeldReason): string {
  return wordOf(m.broadcasts.held, reason, m.broadcasts.otherHeld);
}

/** Returns "12 people". */
export function peopleWord(m: Messages, count: number): string {
  return m.broadcasts.people(count, formatCount(count));
}

/** Returns when a broadcast is repeated: "every Monday at 10:00". */
export function repeatWord(
  m: Messages,
  { every, at, weekday, dayOfMonth }: Omit<RuleOfRepeatFragment, "__typename" | "until">,
): string {
  const day = every === "WEEK" ? (m.broadcasts.weekdays[(weekday ?? 1) - 1] ?? "") : String(dayOfMonth ?? "");
  return m.broadcasts.repeatText[every](at, day);
}

/** Returns about how long so many seconds are, in one unit. */
export function durationWord(m: Messages, seconds: number): string {
  const { duration } = m.broadcasts;
  if (seconds < 60) return duration.seconds;
  if (seconds < 5_400) return duration.minutes(formatCount(Math.round(seconds / 60)));
  if (seconds < 172_800) return duration.hours(formatCount(Math.round(seconds / 3_600)));
  return duration.days(formatCount(Math.round(seconds / 86_400)));
}

/** Returns what is said for a value; `other` for one that these words do not know. */
export function wordOf<Words extends object>(
  words: Words,
  value: string,
  other: Words[keyof Words],
): Words[keyof Words] {
  return Object.hasOwn(words, value) ? words[value as keyof Words] : other;
}
