import { formatCount } from "../../i18n/format";
import { locale } from "../../i18n/language";
import type { Messages } from "../looking/messages";
import type { Outlook } from "./forecast";

/** Writes a full hour with its day: "Tue 1 Dec, 14:00". */
export function formatHour(at: string): string {
  return new Intl.DateTimeFormat(locale(), {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
  }).format(new Date(at));
}

/** Says what matters of a forecast: until when half of the `now` people can be reached, and how it ends. */
export function outlookText(
  { half, isThroughout, none, last }: Outlook,
  now: number,
  m: Messages["forecast"],
): string {
  const end = none ? m.none(formatHour(none.at)) : m.left(formatHour(last.at), formatCount(last.count));
  return [halfText(half?.at ?? null, isThroughout, last.at, now, m), end].join(" ");
}

function halfText(
  half: string | null,
  isThroughout: boolean,
  last: string,
  now: number,
  m: Messages["forecast"],
): string {
  const people = formatCount(now);
  if (isThroughout) return m.wholeSpan(formatHour(last), people);
  if (half === null) return m.tooLate(people);
  return now === 1 ? m.halfOne(formatHour(half)) : m.half(formatHour(half), people);
}
