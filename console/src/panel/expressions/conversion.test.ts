import { describe, expect, it } from "vitest";
import { fromInput, fromSaved, nodeAtPath, type SavedNode, toInput } from "./conversion";
import { drawFrom, drawTree } from "./drawing";
import { flawsOf, isAllowed } from "./limits";
import { fromQueryString, toQueryString, treeOfQuery } from "./queryString";
import { group, hole, isGroup, receivedLeaf, sameTree, type Tree, tagLeaf } from "./tree";

function read(text: string): Tree {
  const tree = fromQueryString(text);
  if (!tree) throw new Error(text);
  return tree;
}

/** Lists the nodes of a tree as the API does. */
function flatOf(tree: Tree): SavedNode[] {
  const flat: SavedNode[] = [];
  const add = (node: Tree, parent: number | null) => {
    const index = flat.length;
    const operator = node.kind.toUpperCase() as SavedNode["operator"];
    flat.push({ index, parent, operator, tag: node.kind === "tag" ? { id: node.tag } : null });
    if (isGroup(node)) for (const child of node.children) add(child, index);
  };
  add(tree, null);
  return flat;
}

it("takes and gives what the API takes", () => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const tree = drawTree(drawFrom(seed));
    const input = toInput(tree);
    expect(input && sameTree(fromInput(input), tree)).toBe(true);
    expect(sameTree(fromSaved(flatOf(tree)), tree)).toBe(true);
  }
});

it("writes each kind of node", () => {
  const tree = group("except", [group("all", [tagLeaf("T"), receivedLeaf("R")]), read("any(followers)")]);
  expect(toInput(tree)).toEqual({
    except: { from: { all: [{ tag: "T" }, { received: "R" }] }, remove: { any: [{ followers: true }] } },
  });
});

it("gives nothing while something is to be chosen", () => {
  expect(toInput(group("all", [tagLeaf("A"), hole()]))).toBeNull();
  expect(toInput(group("any", []))).toBeNull();
  expect(toInput(group("except", [tagLeaf("A")]))).toBeNull();
});

it("finds the node that a field of the API is about", () => {
  const tree = read("all(A,except(any(B,C),D))");
  const at = (...path: (string | number)[]) => toQueryString(nodeAtPath(tree, path));
  expect(at("input", "expression", "all", 0, "tag")).toBe("A");
  expect(at("expression", "all", 1, "except", "from", "any", 1, "tag")).toBe("C");
  expect(at("input", "audience", "all", 1, "except", "remove", "tag")).toBe("D");
  expect(at("input", "expression")).toBe(toQueryString(tree));
});

describe("in an address", () => {
  it("is written so that people can read it", () => {
    expect(toQueryString(group("except", [read("all(A,_)"), receivedLeaf("R")]))).toBe(
      "except(all(A,_),received(R))",
    );
  });

  it("carries ids of any characters", () => {
    const odd = group("any", [tagLeaf("a(b),c%"), receivedLeaf("followers")]);
    expect(sameTree(read(toQueryString(odd)), odd)).toBe(true);
  });

  it.each(["", "all(A", "all(A))", "nor(A,B)", "except(A)", "all(A,,B)", "(A)", "%E0%A4%A", "received()"])(
    "refuses %j",
    (text) => {
      expect(fromQueryString(text)).toBeNull();
    },
  );

  it("is empty where nothing can be read", () => {
    expect(toQueryString(treeOfQuery("all(("))).toBe("all()");
    expect(toQueryString(treeOfQuery(null))).toBe("all()");
  });
});

describe("limits", () => {
  const nested = (depth: number): Tree =>
    depth === 0 ? tagLeaf("A") : group("all", [nested(depth - 1), tagLeaf("B")]);
  const wide = (leaves: number) =>
    group(
      "any",
      Array.from({ length: leaves }, () => tagLeaf("A")),
    );

  it("finds what is too deep, too much, empty, or still to be chosen", () => {
    expect([...flawsOf(nested(8)).values()]).toEqual([]);
    expect([...flawsOf(nested(9)).values()]).toEqual(["TOO_DEEP"]);
    expect([...flawsOf(wide(100)).values()]).toEqual([]);
    expect([...flawsOf(wide(101)).values()]).toEqual(["TOO_MANY_LEAVES"]);
    expect([...flawsOf(read("all(any(),_)")).values()]).toEqual(["EMPTY", "HOLE"]);
  });

  it("lets a tree beyond the limits be mended step by step", () => {
    expect(isAllowed(nested(9), nested(8))).toBe(false);
    expect(isAllowed(nested(9), nested(10))).toBe(true);
    expect(isAllowed(wide(101), wide(100))).toBe(false);
    expect(isAllowed(wide(101), wide(102))).toBe(true);
  });
});
