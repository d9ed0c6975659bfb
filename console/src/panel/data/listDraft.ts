import type { ReturnMode, SubmitReturnDataInput } from "../../api/generated/graphql";
import { type GivenOpenids, MOST_OPENIDS } from "./openidList";
import type { ImportRequest } from "./upload";

export type Origin = "paste" | "file";

/** What is filled in of a list. */
export interface ListDraft {
  readonly category: string;
  readonly label: string;
  readonly description: string;
  /** Openids as they were pasted. */
  readonly text: string;
  readonly allowRejected: boolean;
  readonly file: File | null;
  readonly encoding: "auto" | "gb18030";
  /** Heading of the column of the openids, where the file names none so. */
  readonly column: string;
  /** Id of the channel of the openids; empty for this one. */
  readonly openidsOf: string;
  /** Local time as the input has it; empty for never. */
  readonly expires: string;
}

export const EMPTY_LIST: ListDraft = {
  category: "",
  label: "",
  description: "",
  text: "",
  allowRejected: false,
  file: null,
  encoding: "auto",
  column: "",
  openidsOf: "",
  expires: "",
};

export type Lack =
  | "category"
  | "label"
  | "openids"
  | "nothingUsable"
  | "tooMany"
  | "replaceBlocked"
  | "file"
  | "column"
  | "expires";

/** Returns what keeps a list from being sent. */
export function lacksOf(
  draft: ListDraft,
  mode: ReturnMode,
  origin: Origin,
  given: GivenOpenids,
  { columns, now }: { readonly columns: readonly string[]; readonly now: number },
): ReadonlySet<Lack> {
  const lacks = new Set<Lack>();
  if (draft.category.trim() === "") lacks.add("category");
  if (draft.label.trim() === "") lacks.add("label");
  if (mode === "ADD" && draft.expires !== "" && !(Date.parse(draft.expires) > now)) lacks.add("expires");
  if (origin === "file") {
    if (!draft.file) lacks.add("file");
    else if (columns.length > 0 && !columns.includes(draft.column)) lacks.add("column");
  } else if (given.entries.length === 0) lacks.add("openids");
  else if (given.entries.length > MOST_OPENIDS) lacks.add("tooMany");
  else if (given.usable === 0) lacks.add("nothingUsable");
  else if (mode === "REPLACE" && given.malformed.length > 0 && !draft.allowRejected)
    lacks.add("replaceBlocked");
  return lacks;
}

/** Returns what is sent of a pasted list, but for the idempotency key. */
export function submission(
  channelId: string,
  draft: ListDraft,
  mode: ReturnMode,
  given: GivenOpenids,
): Omit<SubmitReturnDataInput, "idempotencyKey"> {
  return {
    channelId,
    category: draft.category,
    label: draft.label,
    description: draft.description || null,
    openids: given.entries,
    mode,
    openidsOf: draft.openidsOf || null,
    expiresAt: expiryOf(draft, mode) ?? null,
    allowRejected: mode === "REPLACE" && draft.allowRejected,
  };
}

/** Returns what is said of a file, but for the idempotency key. */
export function importRequest(
  channelId: string,
  draft: ListDraft,
  mode: "ADD" | "REMOVE",
): Omit<ImportRequest, "idempotencyKey"> {
  return {
    channelId,
    category: draft.category,
    label: draft.label,
    description: draft.description || undefined,
    mode,
    openidsOf: draft.openidsOf || undefined,
    expiresAt: expiryOf(draft, mode),
    encoding: draft.encoding === "auto" ? undefined : draft.encoding,
    column: draft.column || undefined,
  };
}

/** Tells a request with a file from another one, without reading the file. */
export function nameOfRequest(request: object, file: File): string {
  return JSON.stringify([request, file.name, file.size, file.lastModified]);
}

function expiryOf({ expires }: ListDraft, mode: ReturnMode): string | undefined {
  return mode === "ADD" && expires !== "" ? new Date(expires).toISOString() : undefined;
}
