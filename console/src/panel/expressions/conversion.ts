import type { TagExpressionInput } from "../../api/generated/graphql";
import {
  emptyTree,
  followersLeaf,
  group,
  hole,
  isGroup,
  nodesOf,
  type Operator,
  receivedLeaf,
  type Tree,
  tagLeaf,
} from "./tree";

/** Returns what the API takes; null while something is still to be chosen, or a group is empty. */
export function toInput(tree: Tree): TagExpressionInput | null {
  return isFinished(tree) ? write(tree) : null;
}

/** Tells whether nothing is left to choose. */
export function isFinished(tree: Tree): boolean {
  return nodesOf(tree).every((node) => (isGroup(node) ? node.children.length > 0 : node.kind !== "hole"));
}

function write(tree: Tree): TagExpressionInput {
  if (!isGroup(tree)) {
    if (tree.kind === "tag") return { tag: tree.tag };
    if (tree.kind === "received") return { received: tree.broadcast };
    return { followers: true };
  }
  const operands = tree.children.map(write);
  if (tree.kind === "except") return { except: { from: operands[0] ?? {}, remove: operands[1] ?? {} } };
  return { [tree.kind]: operands };
}

/** Returns the tree of what the API takes; a hole wherever nothing is named. */
export function fromInput(input: TagExpressionInput): Tree {
  if (input.tag) return tagLeaf(input.tag);
  if (input.received) return receivedLeaf(input.received);
  if (input.followers) return followersLeaf();
  if (input.all) return group("all", input.all.map(fromInput));
  if (input.any) return group("any", input.any.map(fromInput));
  if (input.except) return group("except", [fromInput(input.except.from), fromInput(input.except.remove)]);
  return hole();
}

/** One entry of `TagExpression.flat`, as far as the editor needs it. */
export interface SavedNode {
  readonly index: number;
  readonly parent?: number | null;
  readonly operator: "TAG" | "ALL" | "ANY" | "EXCEPT" | "FOLLOWERS" | "RECEIVED";
  readonly tag?: { readonly id: string } | null;
  readonly broadcast?: { readonly id: string } | null;
}

/** Returns the tree of a saved expression, given by its `flat`; a hole for a broadcast that is no longer shown. */
export function fromSaved(flat: readonly SavedNode[]): Tree {
  const root = flat.find((node) => node.parent == null);
  return root ? treeOf(root, flat) : emptyTree();
}

function treeOf(node: SavedNode, flat: readonly SavedNode[]): Tree {
  if (node.operator === "TAG") return node.tag ? tagLeaf(node.tag.id) : hole();
  if (node.operator === "RECEIVED") return node.broadcast ? receivedLeaf(node.broadcast.id) : hole();
  if (node.operator === "FOLLOWERS") return followersLeaf();
  const operands = flat.filter((each) => each.parent === node.index).map((each) => treeOf(each, flat));
  return group(node.operator.toLowerCase() as Operator, operands);
}

/** Returns the node that a path of the API's `fields` leads to, such as ["input", "expression", "all", 0, "tag"]. */
export function nodeAtPath(tree: Tree, path: readonly (string | number)[]): Tree {
  const start = path.findIndex((step) => step === "expression" || step === "audience");
  let node = tree;
  for (const step of path.slice(start + 1)) {
    const place = step === "from" ? 0 : step === "remove" ? 1 : step;
    const next = isGroup(node) && typeof place === "number" ? node.children[place] : undefined;
    if (next) node = next;
  }
  return node;
}
