/** Combines its children: people in all of them, in any of them, or in the first and not in the second. */
export type Operator = "all" | "any" | "except";

export interface Group {
  readonly kind: Operator;
  readonly key: string;
  /** In order; an `except` always has two, of which the first is kept and the second taken away. */
  readonly children: readonly Tree[];
}

/** A place where something is still to be chosen. */
export interface Hole {
  readonly kind: "hole";
  readonly key: string;
}

export type Leaf =
  | { readonly kind: "tag"; readonly key: string; readonly tag: string }
  | { readonly kind: "followers"; readonly key: string }
  | { readonly kind: "received"; readonly key: string; readonly broadcast: string }
  | Hole;

/**
 * An expression while it is edited, perhaps unfinished. Keys tell its nodes apart as long as they live; what the nodes mean
 * does not depend on them. Trees are never changed: operations (`operations.ts`) return new ones.
 */
export type Tree = Group | Leaf;

/** How deep operators may nest (docs/specification.md §4.4). */
export const MAX_DEPTH = 8;
/** How many leaves an expression may have. */
export const MAX_LEAVES = 100;

let keys = 0;

function newKey(): string {
  keys += 1;
  return `n${keys}`;
}

export function hole(): Hole {
  return { kind: "hole", key: newKey() };
}

export function tagLeaf(tag: string): Leaf {
  return { kind: "tag", key: newKey(), tag };
}

export function followersLeaf(): Leaf {
  return { kind: "followers", key: newKey() };
}

export function receivedLeaf(broadcast: string): Leaf {
  return { kind: "received", key: newKey(), broadcast };
}

/** Makes a group; an `except` gets holes for children that it lacks. */
export function group(kind: Operator, children: readonly Tree[]): Group {
  if (kind !== "except") return { kind, key: newKey(), children };
  return { kind, key: newKey(), children: [children[0] ?? hole(), children[1] ?? hole()] };
}

/** What an editor begins with. */
export function emptyTree(): Tree {
  return group("all", []);
}

export function isGroup(tree: Tree): tree is Group {
  return "children" in tree;
}

/** Lists all nodes, parents before their children and those in order. */
export function nodesOf(tree: Tree): Tree[] {
  return isGroup(tree) ? [tree, ...tree.children.flatMap(nodesOf)] : [tree];
}

/** Returns the nodes from the root to the one with this key, both included; empty if there is none. */
export function pathTo(tree: Tree, key: string): Tree[] {
  if (tree.key === key) return [tree];
  if (!isGroup(tree)) return [];
  for (const child of tree.children) {
    const path = pathTo(child, key);
    if (path.length > 0) return [tree, ...path];
  }
  return [];
}

export function find(tree: Tree, key: string): Tree | undefined {
  return pathTo(tree, key).at(-1);
}

export function parentOf(tree: Tree, key: string): Group | undefined {
  const parent = pathTo(tree, key).at(-2);
  return parent && isGroup(parent) ? parent : undefined;
}

/** Returns the tree with one node replaced by another; the tree itself if there is no such node. */
export function replace(tree: Tree, key: string, by: Tree): Tree {
  if (tree.key === key) return by;
  if (!isGroup(tree) || !pathTo(tree, key).length) return tree;
  return { ...tree, children: tree.children.map((child) => replace(child, key, by)) };
}

/** Counts how deep operators nest: 0 for a leaf. */
export function depthOf(tree: Tree): number {
  return isGroup(tree) ? 1 + Math.max(0, ...tree.children.map(depthOf)) : 0;
}

export function leavesOf(tree: Tree): Leaf[] {
  return nodesOf(tree).filter((node): node is Leaf => !isGroup(node));
}

/** Ids of the tags at the leaves, each once. */
export function tagIdsOf(tree: Tree): string[] {
  return [...new Set(leavesOf(tree).flatMap((leaf) => (leaf.kind === "tag" ? [leaf.tag] : [])))];
}

/** Tells whether two trees mean the same and are written the same, whatever their keys. */
export function sameTree(a: Tree, b: Tree): boolean {
  if (isGroup(a) !== isGroup(b) || a.kind !== b.kind) return false;
  if (isGroup(a) && isGroup(b)) {
    const others = b.children;
    return (
      a.children.length === others.length &&
      a.children.every((child, index) => sameTree(child, others[index] ?? child))
    );
  }
  if (a.kind === "tag" && b.kind === "tag") return a.tag === b.tag;
  if (a.kind === "received" && b.kind === "received") return a.broadcast === b.broadcast;
  return true;
}
