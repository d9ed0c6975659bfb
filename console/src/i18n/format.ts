import { locale } from "./language";

/** Writes a whole number with the separators of the language. */
export function formatCount(value: number): string {
  return new Intl.NumberFormat(locale()).format(value);
}

/** Writes a share, 0 to 1, in percent: "4.2%". */
export function formatShare(share: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 1 }).format(share);
}

/** Writes an instant (RFC 3339) as date and time of the reader's zone. */
export function formatInstant(instant: string): string {
  return new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "medium" }).format(
    new Date(instant),
  );
}

/** Joins texts as a list of the language: "a, b and c". */
export function formatList(texts: readonly string[]): string {
  return new Intl.ListFormat(locale()).format(texts);
}

/** Writes a size in bytes as kB or MB, as people read sizes of files. */
export function formatSize(bytes: number): string {
  const [unit, size] = bytes < 1_000_000 ? ["kilobyte", bytes / 1_000] : ["megabyte", bytes / 1_000_000];
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit,
    maximumFractionDigits: size < 10 ? 1 : 0,
  }).format(size);
}

/**
 * Writes an instant (RFC 3339) as briefly as it can be told: the time of a moment of today, else the date. `now` is in
 * milliseconds of Unix time.
 */
export function formatMoment(instant: string, now: number): string {
  const at = new Date(instant);
  const today = at.toDateString() === new Date(now).toDateString();
  return new Intl.DateTimeFormat(locale(), today ? { timeStyle: "short" } : { dateStyle: "medium" }).format(
    at,
  );
}
