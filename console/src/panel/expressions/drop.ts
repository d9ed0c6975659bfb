import { type Attempt, otherThan, placeIn, within, withoutEmpty } from "./actions";
import { combine, insert, move, remove } from "./operations";
import { find, isGroup, parentOf, pathTo, type Tree } from "./tree";

/** Where something that is dragged would come to lie. */
export type Drop =
  | { readonly kind: "before" | "after" | "together"; readonly key: string }
  | { readonly kind: "into"; readonly key: string };

/** Chooses where a drop onto a row goes, by how far down the row the pointer is (0 to 1). */
export function dropOnRow(tree: Tree, key: string, height: number): Drop {
  const node = find(tree, key);
  const parent = parentOf(tree, key);
  const isSlot = !parent || parent.kind === "except";
  if (node && isGroup(node)) return !isSlot && height < 0.3 ? { kind: "before", key } : { kind: "into", key };
  if (isSlot) return { kind: "together", key };
  if (height < 0.3) return { kind: "before", key };
  return height > 0.7 ? { kind: "after", key } : { kind: "together", key };
}

/** Tells whether a node may be dropped there: never into itself. */
export function canDrop(tree: Tree, dragged: string, onto: string): boolean {
  const node = find(tree, dragged);
  return node !== undefined && node !== tree && pathTo(node, onto).length === 0;
}

/** Moves a node to where it was dropped. */
export function dropped(tree: Tree, dragged: string, drop: Drop): Attempt {
  const parent = parentOf(tree, dragged);
  const moved = moveTo(tree, dragged, drop);
  return within(tree, { tree: parent ? withoutEmpty(moved, parent.key) : moved });
}

function moveTo(tree: Tree, dragged: string, drop: Drop): Tree {
  if (!canDrop(tree, dragged, drop.key)) return tree;
  const target = find(tree, drop.key);
  const parent = parentOf(tree, drop.key);
  if (drop.kind === "into") {
    return target && isGroup(target) ? move(tree, dragged, target.key, target.children.length) : tree;
  }
  if (drop.kind !== "together" && parent) {
    const place = placeIn(parent, drop.key) + (drop.kind === "after" ? 1 : 0);
    return move(tree, dragged, parent.key, place);
  }
  if (parent?.kind !== "except") return combine(tree, drop.key, dragged, otherThan(parent));
  const node = find(tree, dragged);
  const place = placeIn(parent, drop.key);
  if (parentOf(tree, dragged) === parent) return move(tree, dragged, parent.key, place === 0 ? 0 : 2);
  return node ? insert(remove(tree, dragged), parent.key, place, node) : tree;
}
