import type { AuditFilter, AuditOutcome } from "../../api/generated/graphql";

export const OUTCOMES: readonly AuditOutcome[] = ["DONE", "DENIED", "FAILED"];

/** Which entries are shown; all of it is in the address. Texts are empty where nothing is chosen. */
export interface LogChoice {
  readonly target: string;
  readonly subject: string;
  readonly action: string;
  readonly outcome: AuditOutcome | null;
  /** Instants of RFC 3339 in UTC, so that an address means the same in every zone. */
  readonly from: string;
  readonly to: string;
}

/** Reads what is chosen from a query string; whatever it does not know counts as not chosen. */
export function readChoice(query: URLSearchParams): LogChoice {
  const text = (key: string) => query.get(key) ?? "";
  return {
    target: text("target"),
    subject: text("subject"),
    action: text("action"),
    outcome: OUTCOMES.find((outcome) => outcome === query.get("outcome")) ?? null,
    from: instantOf(text("from")),
    to: instantOf(text("to")),
  };
}

/** Writes what is chosen into a copy of a query string, leaving out what is not. */
export function writeChoice(query: URLSearchParams, choice: LogChoice): URLSearchParams {
  const written = new URLSearchParams(query);
  for (const [key, value] of Object.entries(choice)) {
    if (value) written.set(key, value);
    else written.delete(key);
  }
  return written;
}

/** Tells whether anything is left out. */
export function isNarrowed(choice: LogChoice): boolean {
  return Object.values(choice).some(Boolean);
}

/** Returns the filter as the API takes it; null for everything. */
export function filterOf(choice: LogChoice): AuditFilter | null {
  if (!isNarrowed(choice)) return null;
  return {
    targetId: choice.target || null,
    subject: choice.subject.trim() || null,
    action: choice.action || null,
    outcome: choice.outcome,
    since: choice.from || null,
    until: choice.to || null,
  };
}

/** Returns the instant that a text means: of RFC 3339, or as a field of date and time has it, which is in the reader's zone. */
export function instantOf(text: string): string {
  const at = new Date(text);
  return text === "" || Number.isNaN(at.getTime()) ? "" : at.toISOString();
}

/** Returns an instant as a field of date and time shows it, in the reader's zone and to the minute. */
export function localOf(instant: string): string {
  if (instant === "") return "";
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
