import { group, isGroup, type Tree } from "./tree";

/** Returns the tree without what is still to be chosen, as far as that leaves a set of people; null if it does not. */
export function countablePart(tree: Tree): Tree | null {
  if (!isGroup(tree)) return tree.kind === "hole" ? null : tree;
  const parts = tree.children.map(countablePart);
  if (tree.kind === "except") {
    const [from, taken] = parts;
    return from && taken ? group("except", [from, taken]) : (from ?? null);
  }
  const known = parts.filter((part) => part !== null);
  return known.length > 0 ? group(tree.kind, known) : null;
}

/** Writes a finished tree so that trees which differ only in order, or by groups of one, are written the same. */
export function canonical(tree: Tree): string {
  if (!isGroup(tree)) {
    if (tree.kind === "tag") return tree.tag;
    return tree.kind === "received" ? `received(${tree.broadcast})` : tree.kind;
  }
  const parts = tree.children.map(canonical);
  if (tree.kind === "except") return `except(${parts.join(",")})`;
  return parts.length === 1 ? (parts[0] ?? "") : `${tree.kind}(${parts.toSorted().join(",")})`;
}
