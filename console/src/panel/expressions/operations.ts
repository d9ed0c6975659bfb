import {
  find,
  followersLeaf,
  type Group,
  group,
  hole,
  isGroup,
  type Leaf,
  leavesOf,
  type Operator,
  parentOf,
  pathTo,
  replace,
  type Tree,
} from "./tree";

/**
 * Puts a node into a group, before the child that is at `index` now. The two places of an `except` are filled when they are
 * holes; else what is put in narrows whom it keeps (`all`), or adds to whom it takes away (`any`).
 */
export function insert(tree: Tree, parentKey: string, index: number, node: Tree): Tree {
  const parent = find(tree, parentKey);
  if (!parent || !isGroup(parent)) return tree;
  if (parent.kind !== "except") {
    const children = [...parent.children.slice(0, index), node, ...parent.children.slice(index)];
    return replace(tree, parentKey, { ...parent, children });
  }
  const place = index === 0 ? 0 : 1;
  const taken = parent.children[place] ?? hole();
  return replace(tree, taken.key, joined(taken, node, place === 0 ? "all" : "any"));
}

function joined(taken: Tree, node: Tree, operator: "all" | "any"): Tree {
  if (taken.kind === "hole") return node;
  if (taken.kind === operator) return { ...taken, children: [...taken.children, node] };
  return group(operator, [taken, node]);
}

/** Takes a node out; an `except` keeps a hole there, and without its root a tree is a hole. */
export function remove(tree: Tree, key: string): Tree {
  const parent = parentOf(tree, key);
  if (!parent) return tree.key === key ? hole() : tree;
  if (parent.kind === "except") return replace(tree, key, hole());
  return replace(tree, parent.key, {
    ...parent,
    children: parent.children.filter((child) => child.key !== key),
  });
}

/** Moves a node into a group, before the child that is at `index` now; the tree itself where that is inside the node. */
export function move(tree: Tree, key: string, parentKey: string, index: number): Tree {
  const node = find(tree, key);
  const parent = find(tree, parentKey);
  if (!node || !parent || !isGroup(parent) || pathTo(node, parentKey).length > 0) return tree;
  const from = parent.children.findIndex((child) => child.key === key);
  if (parent.kind === "except" && from >= 0) return swapped(tree, parent, from, index);
  // A copy of the parent keeps its key, so it is found again after the node was taken out.
  const without = remove(tree, key);
  return insert(without, parentKey, from >= 0 && from < index ? index - 1 : index, node);
}

function swapped(tree: Tree, parent: Group, from: number, index: number): Tree {
  const to = Math.min(1, index > from ? index - 1 : index);
  return to === from
    ? tree
    : replace(tree, parent.key, { ...parent, children: parent.children.toReversed() });
}

/** Puts a node into a group of its own; what an `except` takes away is still to be chosen. */
export function wrap(tree: Tree, key: string, operator: Operator): Tree {
  const node = find(tree, key);
  return node ? replace(tree, key, group(operator, [node])) : tree;
}

/** Makes a group of two nodes in place of the first: by dropping one onto the other, or by indenting. */
export function combine(tree: Tree, ontoKey: string, key: string, operator: "all" | "any"): Tree {
  const onto = find(tree, ontoKey);
  const node = find(tree, key);
  if (!onto || !node || pathTo(node, ontoKey).length > 0 || pathTo(onto, key).length > 0) return tree;
  if (onto.kind === "hole") return replace(remove(tree, key), ontoKey, node);
  return replace(remove(tree, key), ontoKey, group(operator, [onto, node]));
}

/** Tells whether a group can be dissolved: there must be a place for each of its children. */
export function canUnwrap(tree: Tree, key: string): boolean {
  const node = find(tree, key);
  if (!node || !isGroup(node)) return false;
  if (node.kind === "except" || node.children.length === 1) return true;
  const parent = parentOf(tree, key);
  return parent !== undefined && parent.kind !== "except";
}

/** Puts the children of a group in its place; of an `except`, whom it keeps. */
export function unwrap(tree: Tree, key: string): Tree {
  const node = find(tree, key);
  if (!node || !isGroup(node) || !canUnwrap(tree, key)) return tree;
  const [first] = node.children;
  if (first && (node.kind === "except" || node.children.length === 1)) return replace(tree, key, first);
  const parent = parentOf(tree, key);
  if (!parent) return tree;
  const children = parent.children.flatMap((child) => (child.key === key ? node.children : [child]));
  return replace(tree, parent.key, { ...parent, children });
}

/** Combines the children of a group by another operator; `except` takes all but the first away from it. */
export function setOperator(tree: Tree, key: string, operator: Operator): Tree {
  const node = find(tree, key);
  if (!node || !isGroup(node) || node.kind === operator) return tree;
  if (operator !== "except") {
    const children = node.children.filter((child) => child.kind !== "hole");
    return replace(tree, key, { ...node, kind: operator, children });
  }
  const [from = hole(), ...others] = node.children;
  const taken = others.length > 1 ? group("any", others) : (others[0] ?? hole());
  return replace(tree, key, { ...node, kind: operator, children: [from, taken] });
}

/**
 * Turns a node into everybody who is not in it, by a difference: from the rest of the intersection that it is in, else from
 * the followers. What is taken away already is asked for again.
 */
export function negate(tree: Tree, key: string): Tree {
  const node = find(tree, key);
  const parent = parentOf(tree, key);
  if (!node || node.kind === "hole") return tree;
  if (node.kind === "except" && node.children[0]?.kind === "followers" && node.children[1]) {
    return replace(tree, key, node.children[1]);
  }
  if (parent?.kind === "except" && parent.children[1]?.key === key) {
    return replace(tree, parent.key, joined(parent.children[0] ?? hole(), node, "all"));
  }
  if (parent?.kind === "all" && parent.children.length > 1) {
    const children = parent.children.filter((child) => child.key !== key);
    const rest = children.length === 1 && children[0] ? children[0] : { ...parent, children };
    const above = parentOf(tree, parent.key);
    if (above?.kind === "except" && above.children[0]?.key === parent.key) {
      const taken = joined(above.children[1] ?? hole(), node, "any");
      return replace(tree, above.key, { ...above, children: [rest, taken] });
    }
    return replace(tree, parent.key, group("except", [rest, node]));
  }
  return replace(tree, key, group("except", [followersLeaf(), node]));
}

/** Puts another leaf in the place of each leaf of a tag. */
export function replaceTag(tree: Tree, tag: string, leaf: () => Leaf): Tree {
  if (!isGroup(tree)) return tree.kind === "tag" && tree.tag === tag ? leaf() : tree;
  return { ...tree, children: tree.children.map((child) => replaceTag(child, tag, leaf)) };
}

/** Takes each leaf of a tag out. */
export function removeTag(tree: Tree, tag: string): Tree {
  const leaf = leavesOf(tree).find((each) => each.kind === "tag" && each.tag === tag);
  return leaf ? removeTag(remove(tree, leaf.key), tag) : tree;
}
