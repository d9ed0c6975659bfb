import { depthOf, isGroup, leavesOf, MAX_DEPTH, MAX_LEAVES, pathTo, type Tree } from "./tree";

/** What is wrong with a node before anybody is asked. */
export type Flaw = "EMPTY" | "HOLE" | "TOO_DEEP" | "TOO_MANY_LEAVES";

/** Returns what is wrong, by the keys of the nodes where it is. */
export function flawsOf(tree: Tree): Map<string, Flaw> {
  const flaws = new Map<string, Flaw>();
  const look = (node: Tree, depth: number) => {
    if (!isGroup(node)) {
      if (node.kind === "hole") flaws.set(node.key, "HOLE");
      return;
    }
    if (depth === MAX_DEPTH) flaws.set(node.key, "TOO_DEEP");
    else if (node.children.length === 0) flaws.set(node.key, "EMPTY");
    for (const child of node.children) look(child, depth + 1);
  };
  look(tree, 0);
  if (leavesOf(tree).length > MAX_LEAVES) flaws.set(tree.key, "TOO_MANY_LEAVES");
  return flaws;
}

/** Tells whether a tree is within the limits of the API, or at least no further beyond them than the one before. */
export function isAllowed(after: Tree, before: Tree): boolean {
  const deep = depthOf(after);
  const many = leavesOf(after).length;
  return (
    (deep <= MAX_DEPTH || deep <= depthOf(before)) && (many <= MAX_LEAVES || many <= leavesOf(before).length)
  );
}

/** How deep a node is: 0 for the root. */
export function levelOf(tree: Tree, key: string): number {
  return Math.max(0, pathTo(tree, key).length - 1);
}
