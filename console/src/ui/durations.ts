type Unit = "day" | "hour" | "minute" | "second";

const SECONDS: readonly (readonly [Unit, number])[] = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
];

const CLOSE = 10;
const FAR = 30 * 86_400;

/**
 * Say how far a time is from now, like "3 minutes ago" or "in 2 hours".
 *
 * Less than 10 seconds are "now"; what is more than 30 days away is a date. Days are of 24 hours, so none is "yesterday".
 */
export function relativeTime(at: number, now: number, locale: string): string {
  const seconds = Math.round((at - now) / 1000);
  const distance = Math.abs(seconds);
  if (distance >= FAR) return dateText(at, locale);
  const numeric = distance < CLOSE ? "auto" : "always";
  const relative = once(`${numeric} ${locale}`, () => new Intl.RelativeTimeFormat(locale, { numeric }));
  if (distance < CLOSE) return relative.format(0, "second");
  const [unit, size] = SECONDS.find(([, size]) => distance >= size) ?? ["second", 1];
  return relative.format(Math.trunc(seconds / size), unit);
}

/**
 * Say how long is left, by its two largest units, like "47h 12m" or "9m 05s".
 *
 * Answers null when the time is over.
 */
export function remainingTime(until: number, now: number, locale: string): string | null {
  let seconds = Math.ceil((until - now) / 1000);
  if (seconds <= 0) return null;
  const parts: string[] = [];
  for (const [unit, size] of SECONDS) {
    if (parts.length === 2) break;
    const count = Math.floor(seconds / size);
    if (count === 0 && parts.length === 0 && unit !== "second") continue;
    seconds -= count * size;
    const digits = parts.length === 0 ? 1 : 2;
    const least = unit === "minute" || unit === "second" ? digits : 1;
    const format = once(`${unit} ${least} ${locale}`, () => {
      const minimumIntegerDigits = least;
      return new Intl.NumberFormat(locale, {
        style: "unit",
        unit,
        unitDisplay: "narrow",
        minimumIntegerDigits,
      });
    });
    parts.push(format.format(count));
  }
  return parts.join(" ");
}

/** Write a time in full, to the second, in the reader's time zone. */
export function absoluteTime(at: number, locale: string): string {
  return once(
    `absolute ${locale}`,
    () => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "medium" }),
  ).format(at);
}

function dateText(at: number, locale: string): string {
  return once(`date ${locale}`, () => new Intl.DateTimeFormat(locale, { dateStyle: "medium" })).format(at);
}

const made = new Map<string, unknown>();

/** Answer what was made under a name, making it the first time: a format takes longer to make than to use. */
function once<Format>(name: string, make: () => Format): Format {
  const format = (made.get(name) as Format | undefined) ?? make();
  made.set(name, format);
  return format;
}
