import type { Messages } from "../../i18n/messages";
import type { KnownNodes } from "./knownNodes";
import { isGroup, type Tree } from "./tree";

/** Names a node as the editor speaks of it: a tag by its name, a group by how it combines. */
export function nameOf(node: Tree, known: KnownNodes, m: Messages["expressions"]): string {
  if (isGroup(node)) return m.operators[node.kind];
  if (node.kind === "hole") return m.flaws.HOLE;
  if (node.kind === "followers") return m.followers;
  if (node.kind === "tag") return known.tag(node.tag)?.name ?? m.unknownTag;
  const broadcast = known.broadcast(node.broadcast);
  return m.received(broadcast ? (broadcast.name ?? m.unnamedBroadcast) : m.unknownBroadcast);
}

/** Says a tree as the API does: (New user ∩ Opened) − Ordered. */
export function sentenceOf(tree: Tree, known: KnownNodes, m: Messages["expressions"]): string {
  if (!isGroup(tree)) return tree.kind === "hole" ? "…" : nameOf(tree, known, m);
  if (tree.children.length === 0) return "…";
  const symbol = { all: " ∩ ", any: " ∪ ", except: " − " }[tree.kind];
  return tree.children
    .map((child) => {
      const text = sentenceOf(child, known, m);
      return isGroup(child) && child.children.length > 1 ? `(${text})` : text;
    })
    .join(symbol);
}
