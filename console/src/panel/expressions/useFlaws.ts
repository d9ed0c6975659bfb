import { useMemo } from "preact/hooks";
import type { Problem } from "../../api/problem";
import { useMessages } from "../../i18n/messages";
import { nodeAtPath } from "./conversion";
import type { Allowed } from "./editing";
import type { KnownNodes, KnownTag } from "./knownNodes";
import { flawsOf } from "./limits";
import { leavesOf, MAX_DEPTH, MAX_LEAVES, type Tree } from "./tree";

type Words = ReturnType<typeof useMessages>["expressions"];

/** Returns why a tag cannot be part of an expression; null if it can. */
export function unusableReason(
  tag: KnownTag,
  allowed: Allowed,
  forbidden: ReadonlyMap<string, string>,
  m: Words,
): string | null {
  const reason = forbidden.get(tag.id);
  if (reason !== undefined) return reason;
  if (tag.deletedAt) return m.notUsable.DELETED;
  if (tag.state === "ACTIVE" || (tag.state === "PENDING" && allowed.pending)) return null;
  return m.notUsable[tag.state];
}

/**
 * Says what is wrong with the nodes of a tree, by their keys: what the page knows by itself, and what the service answered
 * about fields of `expression` or `audience`. What is merely still to be chosen is no flaw before `strict`.
 */
export function useFlaws(
  tree: Tree,
  known: KnownNodes,
  unusable: (tag: KnownTag) => string | null,
  problem: Problem | null,
  strict: boolean,
  allowed: Allowed,
): ReadonlyMap<string, readonly string[]> {
  const m = useMessages().expressions;
  return useMemo(() => {
    const flaws = new Map<string, string[]>();
    const add = (key: string, text: string) => {
      const before = flaws.get(key) ?? [];
      if (!before.includes(text)) flaws.set(key, [...before, text]);
    };
    for (const [key, flaw] of flawsOf(tree)) {
      if (flaw === "TOO_DEEP") add(key, m.tooDeep(MAX_DEPTH));
      else if (flaw === "TOO_MANY_LEAVES") add(key, m.tooMany(MAX_LEAVES));
      else if (strict) add(key, m.flaws[flaw]);
    }
    for (const leaf of leavesOf(tree)) {
      if (leaf.kind === "received") {
        if (!allowed.received) add(leaf.key, m.receivedNot);
        else if (known.broadcast(leaf.broadcast) === null) add(leaf.key, m.receivedGone);
      }
      if (leaf.kind !== "tag") continue;
      const tag = known.tag(leaf.tag);
      const reason = tag === null ? m.notUsable.UNKNOWN : tag && unusable(tag);
      if (reason) add(leaf.key, reason);
    }
    for (const field of problem?.fields ?? []) {
      if (!field.path.includes("expression") && !field.path.includes("audience")) continue;
      const node = nodeAtPath(tree, field.path);
      if (!flaws.has(node.key)) add(node.key, field.message);
    }
    return flaws;
  }, [tree, known, unusable, problem, strict, allowed, m]);
}
