import { type AnyVariables, type OperationResult, useClient } from "@urql/preact";
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import { treeOf } from "../api/documents";
import type { TypedDocumentString } from "../api/generated/graphql";
import { isPassing, useAgain } from "../api/passing";
import { type Problem, problemOf } from "../api/problem";

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly totalCount?: number;
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

export interface Pages<Data, Node> {
  /** The answer with the first page; undefined until it is there. */
  readonly data: Data | undefined;
  /** What was read so far, page after page; undefined until the first page is there. */
  readonly nodes: readonly Node[] | undefined;
  /** How many there are on all pages, as the newest page says; undefined where the list does not tell. */
  readonly total: number | undefined;
  /** Reads the next page; undefined where there is none. */
  readonly more: (() => void) | undefined;
  /** Whether a page is on its way. */
  readonly busy: boolean;
  readonly problem: Problem | null;
  /** Begins anew with the first page, past the cache. */
  readonly again: () => void;
}

/**
 * Reads a list page by page, and follows what the cache learns of each of them. The document takes the cursor as `after`;
 * `pageOf` finds the list in its answer.
 */
export function usePages<Data, Variables extends { after?: string | null | undefined }, Node>(
  document: TypedDocumentString<Data, Variables>,
  variables: Omit<Variables, "after">,
  pageOf: (data: Data) => Page<Node> | null | undefined,
  { pause = false }: { readonly pause?: boolean } = {},
): Pages<Data, Node> {
  const client = useClient();
  const [results, setResults] = useState<readonly OperationResult<Data>[]>([]);
  const [busy, setBusy] = useState(!pause);
  const open = useRef<(() => void)[]>([]);
  const key = JSON.stringify(variables);

  const close = useCallback(() => {
    for (const stop of open.current) stop();
    open.current = [];
  }, []);

  const load = useCallback(
    (index: number, after: string | null, requestPolicy: "cache-and-network" | "network-only") => {
      setBusy(true);
      const asked = { ...JSON.parse(key), after } as AnyVariables;
      const source = client.query<Data>(treeOf(document) as never, asked, { requestPolicy });
      const { unsubscribe } = source.subscribe((result) => {
        setBusy(result.stale);
        setResults((before) => {
          const passing = result.error !== undefined && isPassing(problemOf(result.error));
          const known = passing && !result.data ? { ...result, data: before[index]?.data } : result;
          return [...before.slice(0, index), known as OperationResult<Data>, ...before.slice(index + 1)];
        });
      });
      open.current.push(unsubscribe);
    },
    [client, document, key],
  );

  useEffect(() => {
    if (pause) return;
    setResults([]);
    load(0, null, "cache-and-network");
    return close;
  }, [load, close, pause]);

  const again = useCallback(() => {
    close();
    setResults((before) => before.slice(0, 1));
    load(0, null, "network-only");
  }, [close, load]);

  const pages = results.flatMap((result) => (result.data ? (pageOf(result.data) ?? []) : []));
  const last = pages.at(-1);
  const error = results.find((result) => result.error)?.error;
  const problem = useMemo(() => (error ? problemOf(error) : null), [error]);
  useAgain(problem, again);
  const next = last?.pageInfo.hasNextPage ? last.pageInfo.endCursor : null;
  return {
    data: results[0]?.data,
    nodes: pages.length > 0 ? pages.flatMap((page) => page.nodes) : undefined,
    total: last?.totalCount,
    more: next === null ? undefined : () => load(results.length, next, "network-only"),
    busy,
    problem,
    again,
  };
}
