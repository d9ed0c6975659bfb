import { formatInstant, formatList } from "../../i18n/format";
import { locale } from "../../i18n/language";

/** Names a tag by its category and name, as people do. */
export function fullName(tag: { readonly category: string; readonly name: string }): string {
  return `${tag.category} / ${tag.name}`;
}

/** Names several tags in a sentence. */
export function namesOf(tags: readonly { readonly category: string; readonly name: string }[]): string {
  return formatList(tags.map(fullName));
}

/** Writes a time of day to the second, with the date where it is not today's. */
export function clockTime(instant: string, now = new Date()): string {
  const at = new Date(instant);
  if (at.toDateString() !== now.toDateString()) return formatInstant(instant);
  return new Intl.DateTimeFormat(locale(), { timeStyle: "medium" }).format(at);
}

/** Writes a share, 0 to 1, in whole percent. */
export function percent(share: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent" }).format(share);
}
