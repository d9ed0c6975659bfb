import type { MessageKind, RepeatEvery } from "../../../api/generated/graphql";

/** What opens when somebody taps a message: nothing, a web address, or a page of a Mini Program. */
export type Opens = "NOTHING" | "ADDRESS" | "MINI_PROGRAM";

export interface DraftField {
  readonly key: string;
  readonly value: string;
}

/**
 * Holds a broadcast as it stands in the form: everything as typed, also what the chosen kind does not use, so that nothing
 * is lost by trying another kind.
 */
export interface Draft {
  /** Names the request, so that pressing the button twice makes one broadcast. */
  readonly key: string;
  readonly name: string;
  /** As an address has it, perhaps unfinished (`toQueryString` of panel/expressions). */
  readonly audience: string;
  readonly kind: MessageKind | null;
  readonly text: string;
  /** WeChat's ids of images, one a line. */
  readonly images: string;
  readonly recommend: string;
  /** WeChat's id of the draft of an article. */
  readonly article: string;
  readonly ignoreReprint: boolean;
  readonly templateId: string;
  readonly fields: readonly DraftField[];
  readonly opens: Opens;
  readonly address: string;
  readonly miniProgram: string;
  readonly page: string;
  readonly startsLater: boolean;
  /** Local time as an input of the browser has it: 2026-12-01T10:00. */
  readonly startAt: string;
  readonly repeats: RepeatEvery | null;
  /** Time of day of the policy's zone: 10:00. */
  readonly repeatAt: string;
  readonly weekday: number;
  readonly dayOfMonth: number;
  /** Local time; empty for no end. */
  readonly repeatUntil: string;
  readonly holdOut: string;
  readonly onceOnly: string;
  readonly confirmDuplicate: boolean;
  readonly ignoreCaps: boolean;
  readonly ignoreQuietHours: boolean;
  readonly temporaryTag: boolean;
  /** Openids that get a test, one a line. */
  readonly testers: string;
}

/** Returns an empty form with a key of its own. */
export function newDraft(): Draft {
  return {
    key: newKey(),
    name: "",
    audience: "",
    kind: null,
    text: "",
    images: "",
    recommend: "",
    article: "",
    ignoreReprint: false,
    templateId: "",
    fields: [{ key: "", value: "" }],
    opens: "NOTHING",
    address: "",
    miniProgram: "",
    page: "",
    startsLater: false,
    startAt: "",
    repeats: null,
    repeatAt: "10:00",
    weekday: 1,
    dayOfMonth: 1,
    repeatUntil: "",
    holdOut: "0",
    onceOnly: "",
    confirmDuplicate: false,
    ignoreCaps: false,
    ignoreQuietHours: false,
    temporaryTag: false,
    testers: "",
  };
}

/** Returns a new idempotency key; the browser's own `randomUUID` is missing where the page is not served by HTTPS. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `console-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
