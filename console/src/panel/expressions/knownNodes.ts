import { useMemo, useRef } from "preact/hooks";
import { ExpressionNodesDocument, type ExpressionTagFragment } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import type { Choice } from "./choices";
import { leavesOf, type Tree } from "./tree";

export type KnownTag = ExpressionTagFragment;

export interface KnownBroadcast {
  readonly id: string;
  readonly name: string | null;
}

/** What is known of the leaves of a tree: undefined while it is asked for, null for what does not exist. */
export interface KnownNodes {
  readonly tag: (id: string) => KnownTag | null | undefined;
  readonly broadcast: (id: string) => KnownBroadcast | null | undefined;
  /** Adds what was just chosen, so that it need not be asked for. */
  readonly learn: (choice: Choice) => void;
}

/** Asks for the tags and broadcasts at the leaves of a tree, and follows what becomes of them. */
export function useKnownNodes(tree: Tree): KnownNodes {
  const ids = useMemo(() => idsOf(tree), [tree]);
  const text = ids.join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: the same ids are the same question
  const variables = useMemo(() => ({ ids: ids.slice(0, 100) }), [text]);
  const { data, fetching } = useQuery(ExpressionNodesDocument, variables, { pause: ids.length === 0 });
  const learnt = useRef({ tags: new Map<string, KnownTag>(), broadcasts: new Map<string, KnownBroadcast>() });
  return useMemo(() => {
    const tags = new Map(learnt.current.tags);
    const broadcasts = new Map(learnt.current.broadcasts);
    for (const node of data?.nodes ?? []) {
      if (node && "kind" in node) tags.set(node.id, node);
      else if (node && "broadcastName" in node)
        broadcasts.set(node.id, { id: node.id, name: node.broadcastName ?? null });
    }
    const missing = data === undefined || fetching ? undefined : null;
    return {
      tag: (id) => tags.get(id) ?? missing,
      broadcast: (id) => broadcasts.get(id) ?? missing,
      learn: (choice) => {
        if (choice.kind === "tag") learnt.current.tags.set(choice.tag.id, choice.tag);
        if (choice.kind === "received") learnt.current.broadcasts.set(choice.broadcast.id, choice.broadcast);
      },
    };
  }, [data, fetching]);
}

function idsOf(tree: Tree): string[] {
  const ids = leavesOf(tree).flatMap((leaf) => {
    if (leaf.kind === "tag") return [leaf.tag];
    return leaf.kind === "received" ? [leaf.broadcast] : [];
  });
  return [...new Set(ids)].toSorted();
}
