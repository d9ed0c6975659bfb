import { type FieldProblem, type ProblemCode, readFields, type SentField } from "../../api/problem";
import { expire, token, usableToken } from "../../api/token";

export interface ImportRequest {
  readonly channelId: string;
  readonly category: string;
  readonly label: string;
  readonly description?: string | undefined;
  readonly mode: "ADD" | "REMOVE";
  readonly openidsOf?: string | undefined;
  readonly expiresAt?: string | undefined;
  readonly idempotencyKey: string;
  readonly encoding?: string | undefined;
  readonly column?: string | undefined;
}

/** What of a file was written, in numbers. */
export interface ImportSummary {
  readonly rows: number;
  readonly batches: number;
  readonly replayed: number;
  readonly added: number;
  readonly removed: number;
  readonly unchanged: number;
  readonly duplicates: number;
  readonly newUsers: number;
  readonly rejected: number;
  readonly unmatched: number;
}

export type ImportCode = ProblemCode | "NO_OPENID_COLUMN" | "NO_CSV" | "BROKEN_OFF" | "TRY_AGAIN";

export interface ImportProblem {
  readonly code: ImportCode;
  readonly message: string;
  readonly fields: readonly FieldProblem[];
  /** Headings that were found where none of them is that of openids. */
  readonly columns: readonly string[];
  readonly requestId: string | null;
  /** What was written before it went wrong; null where nobody knows. */
  readonly summary: ImportSummary | null;
}

export type ImportOutcome =
  | {
      readonly kind: "done";
      readonly summary: ImportSummary;
      /** The rejected entries as a CSV file; null where there is none. */
      readonly rejects: Blob | null;
      readonly lastReceipt: string | null;
    }
  | { readonly kind: "failed"; readonly problem: ImportProblem }
  | { readonly kind: "cancelled" };

const COUNTS = [
  "rows",
  "batches",
  "replayed",
  "added",
  "removed",
  "unchanged",
  "duplicates",
  "newUsers",
  "rejected",
  "unmatched",
] as const;

/** Returns the address to which a file is sent (docs/integrator.md, "As CSV"). */
export function importAddress(request: ImportRequest): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(request)) if (value) query.set(name, value);
  return `/import/return-data?${query}`;
}

/** Returns what an answer with this status means; `header` reads one of its headers. */
export async function outcomeOf(
  status: number,
  header: (name: string) => string | null,
  body: Blob,
): Promise<ImportOutcome> {
  if (status === 200) {
    const counts = COUNTS.map((name) => [name, Number(header(`x-import-${name}`) ?? 0)]);
    const summary = Object.fromEntries(counts) as unknown as ImportSummary;
    const hasRejects = summary.rejected + summary.unmatched > 0;
    return {
      kind: "done",
      summary,
      rejects: hasRejects ? body : null,
      lastReceipt: header("x-import-lastReceipt") || null,
    };
  }
  return { kind: "failed", problem: problemIn(await body.text()) };
}

function problemIn(text: string): ImportProblem {
  let said: Partial<Omit<ImportProblem, "fields">> & { readonly fields?: readonly SentField[] } = {};
  try {
    said = JSON.parse(text) as typeof said;
  } catch {
    // A proxy answered, not the service.
  }
  return {
    code: said.code ?? "BROKEN_OFF",
    message: said.message ?? "",
    fields: readFields(said.fields),
    columns: said.columns ?? [],
    requestId: said.requestId ?? null,
    summary: said.summary ?? null,
  };
}

/**
 * Sends a file, which the browser reads piece by piece, and tells how many bytes are under way. A token that expires on the
 * way is waited for, and a full quota too; then the file is sent again: under the same key nothing is written twice.
 */
export async function sendFile(
  request: ImportRequest,
  file: Blob,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<ImportOutcome> {
  const cancelled = new Promise<ImportOutcome>((resolve) => {
    signal.addEventListener("abort", () => resolve({ kind: "cancelled" }), { once: true });
  });
  for (;;) {
    const used = token.peek();
    const { outcome, retryAfter } = await sendOnce(request, file, onProgress, signal);
    const code = outcome.kind === "failed" ? outcome.problem.code : null;
    let pause: Promise<unknown>;
    if (code === "UNAUTHENTICATED") {
      expire(used);
      pause = usableToken();
    } else if (code === "RATE_LIMITED") {
      pause = new Promise((resolve) => setTimeout(resolve, retryAfter * 1_000));
    } else return outcome;
    await Promise.race([pause, cancelled]);
    if (signal.aborted) return cancelled;
    onProgress(0);
  }
}

function sendOnce(
  request: ImportRequest,
  file: Blob,
  onProgress: (sent: number) => void,
  signal: AbortSignal,
): Promise<{ outcome: ImportOutcome; retryAfter: number }> {
  const sending = new XMLHttpRequest();
  const cancel = () => sending.abort();
  const answered = new Promise<ImportOutcome>((resolve, reject) => {
    sending.upload.onprogress = ({ loaded }) => onProgress(loaded);
    sending.onload = () => {
      const header = (name: string) => sending.getResponseHeader(name);
      outcomeOf(sending.status, header, sending.response as Blob).then(resolve, reject);
    };
    sending.onerror = () => resolve({ kind: "failed", problem: problemIn("") });
    sending.onabort = () => resolve({ kind: "cancelled" });
    sending.open("POST", importAddress(request));
    sending.responseType = "blob";
    sending.setRequestHeader("Authorization", `Bearer ${token.peek() ?? ""}`);
    sending.setRequestHeader("Content-Type", "text/csv");
    sending.setRequestHeader("Accept", "text/csv");
    signal.addEventListener("abort", cancel);
    sending.send(file);
  });
  return answered
    .finally(() => signal.removeEventListener("abort", cancel))
    .then((outcome) => ({ outcome, retryAfter: Number(sending.getResponseHeader("Retry-After") ?? 1) }));
}
