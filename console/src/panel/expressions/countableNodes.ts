import type { KnownNodes } from "./knownNodes";
import { flawsOf } from "./limits";
import { isGroup, leavesOf, nodesOf, type Tree } from "./tree";

/**
 * Lists the nodes whose people can be counted, the root first: the service counts only over ACTIVE tags, within its limits.
 * Tags within an expression are left out, since their counts are known without asking.
 */
export function countableNodes(tree: Tree, known: KnownNodes): Tree[] {
  return nodesOf(tree).filter((node) => {
    if (node.kind === "tag" && node !== tree) return false;
    const flaws = [...flawsOf(node).values()];
    if (flaws.includes("TOO_DEEP") || flaws.includes("TOO_MANY_LEAVES")) return false;
    const hasUnusable = leavesOf(node).some((leaf) => {
      if (leaf.kind === "received") return known.broadcast(leaf.broadcast) === null;
      if (leaf.kind !== "tag") return false;
      const tag = known.tag(leaf.tag);
      return tag === null || (tag !== undefined && (tag.state !== "ACTIVE" || tag.deletedAt !== null));
    });
    return !hasUnusable && (!isGroup(node) || node.children.length > 0);
  });
}
