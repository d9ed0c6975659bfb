import { type Client, type CombinedError, useClient } from "@urql/preact";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { treeOf } from "../../api/documents";
import {
  ExpressionCountsDocument,
  type ExpressionCountsQuery,
  type TagExpressionInput,
} from "../../api/generated/graphql";
import { problemOf } from "../../api/problem";
import { can } from "../../app/viewer";
import { useTagFeed } from "../tags/feed";
import { type Ask, type Counted, CountKeeper } from "./countKeeper";
import { type Tree, tagIdsOf } from "./tree";

const keepers = new WeakMap<Client, Map<string, CountKeeper>>();

function keeperOf(client: Client, channel: string): CountKeeper {
  const ofClient = keepers.get(client) ?? new Map<string, CountKeeper>();
  keepers.set(client, ofClient);
  const keeper = ofClient.get(channel) ?? new CountKeeper(askOf(client, channel));
  ofClient.set(channel, keeper);
  return keeper;
}

const SLOTS = ["a", "b", "c", "d", "e", "f", "g", "h"] as const;

function askOf(client: Client, channel: string): Ask {
  return (expressions, answer) => {
    const nth = (place: number): TagExpressionInput => expressions[place] ?? expressions[0] ?? {};
    const has = (place: number) => place < expressions.length;
    const variables = {
      channel,
      ...{ a: nth(0), b: nth(1), c: nth(2), d: nth(3), e: nth(4), f: nth(5), g: nth(6), h: nth(7) },
      ...{ withB: has(1), withC: has(2), withD: has(3), withE: has(4), withF: has(5) },
      ...{ withG: has(6), withH: has(7) },
    };
    const request = client.query(treeOf(ExpressionCountsDocument), variables, {
      requestPolicy: "network-only",
    });
    const { unsubscribe } = request.subscribe(({ data, error, stale }) => {
      if (!stale) answer(expressions.map((_, place) => answerAt(SLOTS[place] ?? "a", data, error)));
    });
    return unsubscribe;
  };
}

function answerAt(slot: (typeof SLOTS)[number], data?: ExpressionCountsQuery, error?: CombinedError) {
  const size = data?.[slot] ?? null;
  if (size || !error) return { size, problem: null };
  const own = error.graphQLErrors.filter(({ path }) => path?.[0] === slot);
  return {
    size: null,
    problem: problemOf(own.length > 0 ? ({ ...error, graphQLErrors: own } as CombinedError) : error),
  };
}

/**
 * Counts the people of some trees of a channel while they are shown, the most important first, and keeps the counts true as
 * tags change. Trees that cannot be counted are to be left out.
 */
export function useCounts(channel: string, trees: readonly Tree[]): (tree: Tree) => Counted {
  const client = useClient();
  const keeper = keeperOf(client, channel);
  const viewer = useRef({});
  const isAllowed = can("VIEW_USERS");
  useEffect(() => keeper.show(viewer.current, isAllowed ? trees : []), [keeper, trees, isAllowed]);
  useEffect(() => () => keeper.hide(viewer.current), [keeper]);
  const tags = useMemo(() => trees.flatMap(tagIdsOf), [trees]);
  useTagFeed(({ kind, tag }) => {
    if (kind === "RESET") keeper.renew(null);
    else if (tag && tags.includes(tag.id)) keeper.renew([tag.id]);
  });
  const version = keeper.version.value;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a version stands for everything that is known
  return useCallback((tree: Tree) => keeper.countOf(tree), [keeper, version]);
}
