import {
  type AnyVariables,
  type CombinedError,
  createRequest,
  type OperationContext,
  type OperationResult,
  useClient,
  useMutation as useUrqlMutation,
  useQuery as useUrqlQuery,
  useSubscription as useUrqlSubscription,
} from "@urql/preact";
import { useCallback, useMemo, useRef } from "preact/hooks";
import { treeOf } from "./documents";
import type { TypedDocumentString } from "./generated/graphql";
import { isPassing, useAgain } from "./passing";
import { type Problem, problemOf } from "./problem";

export interface Asked<Data> {
  /** The newest answer; undefined until there is one, and kept while a newer one is fetched or cannot be. */
  readonly data: Data | undefined;
  /** Why there is no answer, or no newer one; null while all is well. */
  readonly problem: Problem | null;
  /** Whether an answer is on its way. */
  readonly fetching: boolean;
  /** Asks again, past the cache. */
  readonly again: () => void;
}

interface AskOptions {
  /** Does not ask while true, for example until there is something to ask for. */
  readonly pause?: boolean;
  readonly policy?: OperationContext["requestPolicy"];
}

/**
 * Asks a generated query, and follows what the cache learns about its answer. While the service does not answer, what is
 * known stays, and it is asked again by itself.
 */
export function useQuery<Data, Variables extends AnyVariables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  { pause = false, policy }: AskOptions = {},
): Asked<Data> {
  const [state, execute] = useUrqlQuery<Data, Variables>({
    query: treeOf(document),
    variables,
    pause,
    ...(policy && { requestPolicy: policy }),
  } as Parameters<typeof useUrqlQuery<Data, Variables>>[0]);
  const again = useCallback(() => execute({ requestPolicy: "network-only" }), [execute]);
  const problem = useProblem(state.error);
  const { key } = createRequest(treeOf(document), variables);
  const kept = useRef<{ readonly key: number; readonly data: Data } | null>(null);
  if (state.data && !state.error && state.operation?.key === key) kept.current = { key, data: state.data };
  const known = isPassing(problem) && kept.current?.key === key ? kept.current.data : undefined;
  useAgain(pause ? null : problem, again);
  return {
    // Where nothing of an answer is left beside its errors, it is null.
    data: state.data ?? known,
    problem,
    fetching: state.fetching || state.stale,
    again,
  };
}

export type Outcome<Data> =
  | { readonly data: Data; readonly problem: null }
  | { readonly data: null; readonly problem: Problem };

export interface Mutate<Data, Variables> {
  /** Carries the mutation out; never throws: what went wrong is in the outcome, and in `problem`. */
  readonly run: (variables: Variables) => Promise<Outcome<Data>>;
  readonly busy: boolean;
  /** What went wrong with the last run; null after one that went well. */
  readonly problem: Problem | null;
}

/** Offers a generated mutation. */
export function useMutation<Data, Variables extends AnyVariables>(
  document: TypedDocumentString<Data, Variables>,
): Mutate<Data, Variables> {
  const [state, execute] = useUrqlMutation<Data, Variables>(treeOf(document));
  const run = useCallback(async (variables: Variables) => outcomeOf(await execute(variables)), [execute]);
  return { run, busy: state.fetching, problem: useProblem(state.error) };
}

/** Offers a generated query to be asked now and then, past the cache, such as for the next page of a list. */
export function useFetch<Data, Variables extends AnyVariables>(
  document: TypedDocumentString<Data, Variables>,
): (variables: Variables) => Promise<Outcome<Data>> {
  const client = useClient();
  return useCallback(
    async (variables: Variables) => {
      const request = { requestPolicy: "network-only" } as const;
      return outcomeOf<Data>(await client.query(treeOf(document), variables, request).toPromise());
    },
    [client, document],
  );
}

function outcomeOf<Data>(result: OperationResult<Data, AnyVariables>): Outcome<Data> {
  if (result.error || result.data == null) return { data: null, problem: problemOf(result.error) };
  return { data: result.data, problem: null };
}

/**
 * Follows a generated subscription; `onEvent` is called once for each event, in order. One with a variable `after` goes on
 * after a lost connection with what was missed.
 */
export function useSubscription<Data, Variables extends AnyVariables>(
  document: TypedDocumentString<Data, Variables>,
  variables: Variables,
  { pause = false, onEvent }: { readonly pause?: boolean; readonly onEvent?: (data: Data) => void } = {},
): { readonly data: Data | undefined; readonly problem: Problem | null } {
  const [state] = useUrqlSubscription<Data, Data, Variables>(
    { query: treeOf(document), variables, pause } as Parameters<
      typeof useUrqlSubscription<Data, Data, Variables>
    >[0],
    (_previous, data) => {
      onEvent?.(data);
      return data;
    },
  );
  return { data: state.data, problem: useProblem(state.error) };
}

function useProblem(error: CombinedError | undefined): Problem | null {
  return useMemo(() => (error ? problemOf(error) : null), [error]);
}
