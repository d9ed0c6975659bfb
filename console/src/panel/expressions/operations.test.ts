import { describe, expect, it } from "vitest";
import { toInput } from "./conversion";
import { drawFrom, drawTree, holds, meaning, oneOf, PEOPLE } from "./drawing";
import { combine, insert, move, negate, remove, setOperator, unwrap, wrap } from "./operations";
import { fromQueryString, toQueryString } from "./queryString";
import { find, isGroup, leavesOf, nodesOf, type Operator, parentOf, type Tree, tagLeaf } from "./tree";

/** Returns the tree of a text, with a way to find its nodes by what they are. */
function read(text: string) {
  const tree = fromQueryString(text);
  if (!tree) throw new Error(text);
  const key = (of: string) => nodesOf(tree).find((node) => toQueryString(node) === of)?.key ?? "";
  return { tree, key };
}

const SEEDS = Array.from({ length: 200 }, (_, seed) => seed + 1);

describe("by example", () => {
  it("negates inside an intersection by taking away from the rest", () => {
    const { tree, key } = read("all(A,B,C)");
    expect(toQueryString(negate(tree, key("B")))).toBe("except(all(A,C),B)");
  });

  it("negates next to what is taken away already by adding to it", () => {
    const { tree, key } = read("except(all(A,B),C)");
    expect(toQueryString(negate(tree, key("B")))).toBe("except(A,any(C,B))");
  });

  it("negates in a union by beginning with the followers", () => {
    const { tree, key } = read("any(A,B)");
    expect(toQueryString(negate(tree, key("B")))).toBe("any(A,except(followers,B))");
  });

  it("asks again for what was taken away when that is negated", () => {
    const { tree, key } = read("except(A,B)");
    expect(toQueryString(negate(tree, key("B")))).toBe("all(A,B)");
  });

  it("takes all but the first away when a group becomes a difference", () => {
    const { tree } = read("all(A,B,C)");
    expect(toQueryString(setOperator(tree, tree.key, "except"))).toBe("except(A,any(B,C))");
  });

  it("fills the places of a difference, and joins what comes to one that is taken", () => {
    const { tree } = read("except(_,B)");
    const filled = insert(tree, tree.key, 0, tagLeaf("A"));
    expect(toQueryString(filled)).toBe("except(A,B)");
    expect(toQueryString(insert(filled, tree.key, 2, tagLeaf("C")))).toBe("except(A,any(B,C))");
    expect(toQueryString(insert(filled, tree.key, 0, tagLeaf("C")))).toBe("except(all(A,C),B)");
  });

  it("leaves a hole in a difference, and nothing elsewhere", () => {
    const { tree, key } = read("any(except(A,B),C)");
    expect(toQueryString(remove(tree, key("A")))).toBe("any(except(_,B),C)");
    expect(toQueryString(remove(tree, key("C")))).toBe("any(except(A,B))");
  });

  it("exchanges the places of a difference by moving", () => {
    const { tree, key } = read("except(A,B)");
    expect(toQueryString(move(tree, key("B"), tree.key, 0))).toBe("except(B,A)");
    expect(toQueryString(move(tree, key("A"), tree.key, 2))).toBe("except(B,A)");
    expect(toQueryString(move(tree, key("A"), tree.key, 1))).toBe("except(A,B)");
  });

  it("moves within a group to where the child stands now", () => {
    const { tree, key } = read("all(A,B,C,D)");
    expect(toQueryString(move(tree, key("A"), tree.key, 3))).toBe("all(B,C,A,D)");
    expect(toQueryString(move(tree, key("D"), tree.key, 1))).toBe("all(A,D,B,C)");
  });

  it("puts two into a group of their own", () => {
    const { tree, key } = read("all(A,B,C)");
    expect(toQueryString(combine(tree, key("A"), key("C"), "any"))).toBe("all(any(A,C),B)");
  });

  it("never moves a group into itself", () => {
    const { tree, key } = read("all(any(A,all(B)),C)");
    expect(move(tree, key("any(A,all(B))"), key("all(B)"), 0)).toBe(tree);
    expect(combine(tree, key("B"), key("any(A,all(B))"), "all")).toBe(tree);
  });
});

describe("whatever the tree", () => {
  it("keeps its meaning when something is put into a group of its own, and taken out again", () => {
    for (const { tree, node, draw } of drawn()) {
      const wrapped = wrap(tree, node.key, oneOf(["all", "any"], draw));
      expect(meaning(wrapped)).toBe(meaning(tree));
      const around = parentOf(wrapped, node.key);
      expect(toQueryString(unwrap(wrapped, around?.key ?? ""))).toBe(toQueryString(tree));
    }
  });

  it("is, negated, the followers who were not in it", () => {
    for (const { tree } of drawn()) {
      const negated = negate(tree, tree.key);
      const expected = PEOPLE.map((person) => person.has("followers") && !holds(tree, person));
      const doubled = tree.kind === "except" && tree.children[0]?.kind === "followers";
      if (!doubled) expect(PEOPLE.map((person) => holds(negated, person))).toEqual(expected);
    }
  });

  it("means the rest without a negated part of an intersection", () => {
    for (const { tree, node } of drawn()) {
      const parent = parentOf(tree, node.key);
      if (parent?.kind !== "all" || parent.children.length < 2 || node.kind === "except") continue;
      const rest = parent.children.filter((child) => child.key !== node.key);
      const inPart = PEOPLE.map(
        (person) => rest.every((child) => holds(child, person)) && !holds(node, person),
      );
      const inWhole = negate(parent, node.key);
      expect(PEOPLE.map((person) => holds(inWhole, person))).toEqual(inPart);
    }
  });

  it("keeps all leaves when something moves", () => {
    for (const { tree, node, draw } of drawn()) {
      const groups = nodesOf(tree).filter(isGroup);
      if (groups.length === 0) continue;
      const target = oneOf(groups, draw);
      const moved = move(tree, node.key, target.key, Math.floor(draw() * (target.children.length + 1)));
      expect(names(moved)).toEqual(names(tree));
    }
  });

  it("stays well formed through any series of operations", () => {
    for (const seed of SEEDS) {
      const draw = drawFrom(seed);
      let tree = drawTree(draw);
      for (let step = 0; step < 20; step += 1) {
        tree = randomStep(tree, draw);
        expectWellFormed(tree);
      }
    }
  });

  it("goes through an address and back", () => {
    for (const { tree } of drawn()) {
      const text = toQueryString(tree);
      const again = fromQueryString(text);
      expect(again && toInput(again)).toEqual(toInput(tree));
    }
  });
});

function drawn() {
  return SEEDS.map((seed) => {
    const draw = drawFrom(seed);
    const tree = drawTree(draw);
    return { tree, node: oneOf(nodesOf(tree), draw), draw };
  });
}

function names(tree: Tree): string[] {
  return leavesOf(tree)
    .filter((leaf) => leaf.kind !== "hole")
    .map(toQueryString)
    .toSorted();
}

function randomStep(tree: Tree, draw: () => number): Tree {
  const nodes = nodesOf(tree);
  const [node, other] = [oneOf(nodes, draw), oneOf(nodes, draw)];
  const operator = oneOf<Operator>(["all", "any", "except"], draw);
  return oneOf<() => Tree>(
    [
      () => insert(tree, node.key, Math.floor(draw() * 3), tagLeaf("E")),
      () => remove(tree, node.key),
      () => move(tree, node.key, other.key, Math.floor(draw() * 3)),
      () => combine(tree, node.key, other.key, "any"),
      () => wrap(tree, node.key, operator),
      () => unwrap(tree, node.key),
      () => setOperator(tree, node.key, operator),
      () => negate(tree, node.key),
    ],
    draw,
  )();
}

function expectWellFormed(tree: Tree): void {
  const nodes = nodesOf(tree);
  expect(new Set(nodes.map((node) => node.key)).size).toBe(nodes.length);
  for (const node of nodes) {
    if (node.kind === "except") expect(node.children).toHaveLength(2);
    expect(find(tree, node.key)).toBe(node);
  }
}
