import { isAllowed } from "./limits";
import { canUnwrap, combine, move, negate, remove, unwrap, wrap } from "./operations";
import { depthOf, find, type Group, isGroup, MAX_DEPTH, parentOf, type Tree } from "./tree";

/** Why something cannot be done with a node. */
export type Obstacle =
  | "first"
  | "last"
  | "outermost"
  | "noGroupAbove"
  | "cannotUnwrap"
  | "tooDeep"
  | "tooMany";

/** What a node would lead to; or why it cannot be done. */
export type Attempt = { readonly tree: Tree } | { readonly obstacle: Obstacle };

export type ActionName =
  | "moveUp"
  | "moveDown"
  | "moveOut"
  | "moveIn"
  | "wrapAll"
  | "wrapAny"
  | "negate"
  | "unwrap"
  | "remove";

/** Tries something with a node; what would go beyond the limits of the API cannot be done. */
export function attempt(tree: Tree, key: string, action: ActionName): Attempt {
  return within(tree, ATTEMPTS[action](tree, key));
}

/** Returns a change, unless it goes beyond the limits. */
export function within(before: Tree, outcome: Attempt): Attempt {
  if ("obstacle" in outcome || isAllowed(outcome.tree, before)) return outcome;
  return { obstacle: depthOf(outcome.tree) > MAX_DEPTH ? "tooDeep" : "tooMany" };
}

const ATTEMPTS: Record<ActionName, (tree: Tree, key: string) => Attempt> = {
  moveUp: (tree, key) => moveBy(tree, key, -1),
  moveDown: (tree, key) => moveBy(tree, key, 1),
  moveOut,
  moveIn,
  wrapAll: (tree, key) => ({ tree: wrap(tree, key, "all") }),
  wrapAny: (tree, key) => ({ tree: wrap(tree, key, "any") }),
  negate: (tree, key) => ({ tree: negate(tree, key) }),
  unwrap: (tree, key) => (canUnwrap(tree, key) ? { tree: unwrap(tree, key) } : { obstacle: "cannotUnwrap" }),
  remove: (tree, key) => ({ tree: remove(tree, key) }),
};

function moveBy(tree: Tree, key: string, step: 1 | -1): Attempt {
  const parent = parentOf(tree, key);
  if (!parent) return { obstacle: "outermost" };
  const place = placeIn(parent, key) + step;
  if (place < 0) return { obstacle: "first" };
  if (place >= parent.children.length) return { obstacle: "last" };
  return { tree: move(tree, key, parent.key, step === 1 ? place + 1 : place) };
}

function moveOut(tree: Tree, key: string): Attempt {
  const parent = parentOf(tree, key);
  const above = parent && parentOf(tree, parent.key);
  if (!parent || !above) return { obstacle: "outermost" };
  const moved = move(tree, key, above.key, placeIn(above, parent.key) + 1);
  return { tree: withoutEmpty(moved, parent.key) };
}

function moveIn(tree: Tree, key: string): Attempt {
  const parent = parentOf(tree, key);
  if (!parent) return { obstacle: "outermost" };
  const before = parent.children[placeIn(parent, key) - 1];
  if (!before || parent.kind === "except") return { obstacle: "noGroupAbove" };
  if (isGroup(before)) return { tree: move(tree, key, before.key, before.children.length) };
  return { tree: combine(tree, before.key, key, otherThan(parent)) };
}

/** Returns how a new group inside another one combines: not as that one does, or it would mean nothing. */
export function otherThan(parent: Group | undefined): "all" | "any" {
  return parent?.kind === "all" ? "any" : "all";
}

export function placeIn(parent: Group, key: string): number {
  return parent.children.findIndex((child) => child.key === key);
}

/** Takes a group out from which everything was moved. */
export function withoutEmpty(tree: Tree, key: string): Tree {
  const node = find(tree, key);
  return node && isGroup(node) && node.children.length === 0 && node !== tree ? remove(tree, key) : tree;
}
