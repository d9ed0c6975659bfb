import type { CombinedError } from "@urql/core";
import type { ErrorCode } from "./generated/graphql";

/** What the console adds to the codes of the API: no answer came at all. */
export type ProblemCode = ErrorCode | "UNREACHABLE";

export interface FieldProblem {
  /** Where the input is, for example ["input", "name"]. */
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly message: string;
}

/** What went wrong, for the page to say: `code` chooses the words, `message` is the service's own in English. */
export interface Problem {
  readonly code: ProblemCode;
  readonly message: string;
  readonly fields: readonly FieldProblem[];
  /** Seconds until it may be tried again; null if nobody said. */
  readonly retryAfter: number | null;
  /** Under which the log of the service tells more; null if it is not needed. */
  readonly requestId: string | null;
  /** WeChat's code where it refused; null otherwise. */
  readonly errcode: number | null;
}

/** As the service writes it: the path is one text, such as "input.adIds.3". */
export type SentField = Omit<FieldProblem, "path"> & { readonly path: string };

/** Returns what an error of urql means; the first GraphQL error counts, since a request is refused as a whole. */
export function problemOf(error: CombinedError | undefined): Problem {
  const first = error?.graphQLErrors[0];
  const extensions = (first?.extensions ?? {}) as Record<string, unknown>;
  return {
    code: first ? ((extensions.code as ErrorCode | undefined) ?? "INTERNAL") : "UNREACHABLE",
    message: first?.message ?? error?.networkError?.message ?? "",
    fields: readFields(extensions.fields as SentField[] | undefined),
    retryAfter: (extensions.retryAfter as number | undefined) ?? null,
    requestId: (extensions.requestId as string | undefined) ?? null,
    errcode: (extensions.errcode as number | undefined) ?? null,
  };
}

/** Returns the refused inputs that an answer names. */
export function readFields(sent: readonly SentField[] | undefined): FieldProblem[] {
  return (sent ?? []).map((field) => ({
    ...field,
    path: field.path.split(".").map((step) => (/^\d+$/.test(step) ? Number(step) : step)),
  }));
}
