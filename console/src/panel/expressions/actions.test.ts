import { describe, expect, it } from "vitest";
import { type ActionName, attempt } from "./actions";
import { drawFrom, drawTree, meaning, oneOf } from "./drawing";
import { canDrop, type Drop, dropOnRow, dropped } from "./drop";
import { fromQueryString, toQueryString } from "./queryString";
import { leavesOf, nodesOf } from "./tree";

function tried(text: string, of: string, action: ActionName): string {
  const tree = fromQueryString(text);
  const node = tree && nodesOf(tree).find((each) => toQueryString(each) === of);
  if (!tree || !node) throw new Error(text);
  const outcome = attempt(tree, node.key, action);
  return "tree" in outcome ? toQueryString(outcome.tree) : outcome.obstacle;
}

describe("by keyboard and menu", () => {
  it.each<[string, string, ActionName, string]>([
    ["all(A,B,C)", "B", "moveUp", "all(B,A,C)"],
    ["all(A,B,C)", "B", "moveDown", "all(A,C,B)"],
    ["all(A,B,C)", "A", "moveUp", "first"],
    ["all(A,B,C)", "C", "moveDown", "last"],
    ["except(A,B)", "A", "moveDown", "except(B,A)"],
    ["all(any(A,B),C)", "A", "moveOut", "all(any(B),A,C)"],
    ["all(any(A),C)", "A", "moveOut", "all(A,C)"],
    ["all(A,B)", "A", "moveOut", "outermost"],
    ["all(any(A,B),C)", "C", "moveIn", "all(any(A,B,C))"],
    ["all(A,B,C)", "B", "moveIn", "all(any(A,B),C)"],
    ["any(A,B,C)", "C", "moveIn", "any(A,all(B,C))"],
    ["any(A,B)", "A", "moveIn", "noGroupAbove"],
    ["all(A,any(B,C))", "any(B,C)", "unwrap", "all(A,B,C)"],
    ["except(A,any(B,C))", "any(B,C)", "unwrap", "cannotUnwrap"],
    ["except(any(B,C),A)", "except(any(B,C),A)", "unwrap", "any(B,C)"],
    ["A", "A", "wrapAny", "any(A)"],
    ["A", "A", "remove", "_"],
  ])("%s: %s %s", (text, of, action, expected) => {
    expect(tried(text, of, action)).toBe(expected);
  });

  it("does not nest deeper than the API allows", () => {
    const deep = `${"all(".repeat(8)}A,B${")".repeat(8)}`;
    expect(tried(deep, "A", "wrapAny")).toBe("tooDeep");
    expect(tried(deep, "B", "moveIn")).toBe("tooDeep");
    expect(tried(deep, "A", "moveOut")).not.toBe("tooDeep");
  });
});

describe("by dragging", () => {
  function drag(text: string, of: string, onto: string, kind: Drop["kind"]): string {
    const tree = fromQueryString(text);
    const key = (part: string) =>
      tree ? nodesOf(tree).find((node) => toQueryString(node) === part)?.key : undefined;
    if (!tree) throw new Error(text);
    const outcome = dropped(tree, key(of) ?? "", { kind, key: key(onto) ?? "" });
    return "tree" in outcome ? toQueryString(outcome.tree) : outcome.obstacle;
  }

  it.each<[string, string, string, Drop["kind"], string]>([
    ["all(A,B,C)", "C", "A", "before", "all(C,A,B)"],
    ["all(A,B,C)", "A", "B", "after", "all(B,A,C)"],
    ["all(A,B,C)", "A", "C", "together", "all(B,any(C,A))"],
    ["all(any(A),B)", "A", "all(any(A),B)", "into", "all(B,A)"],
    ["all(except(_,B),A)", "A", "_", "together", "all(except(A,B))"],
    ["all(except(C,B),A)", "A", "B", "together", "all(except(C,any(B,A)))"],
    ["all(except(C,B),A)", "A", "C", "together", "all(except(all(C,A),B))"],
    ["except(A,B)", "A", "B", "together", "except(B,A)"],
    ["all(any(A,B),C)", "any(A,B)", "A", "before", "all(any(A,B),C)"],
  ])("%s: %s onto %s (%s)", (text, of, onto, kind, expected) => {
    expect(drag(text, of, onto, kind)).toBe(expected);
  });

  it("chooses by the height within the row", () => {
    const tree = fromQueryString("all(A,any(B,C),except(D,_))");
    const drops = (tree ? nodesOf(tree) : []).map((node) =>
      [0.1, 0.5, 0.9].map((height) => tree && dropOnRow(tree, node.key, height).kind).join(" "),
    );
    expect(drops).toEqual([
      "into into into",
      "before together after",
      "before into into",
      "before together after",
      "before together after",
      "before into into",
      "together together together",
      "together together together",
    ]);
  });

  it("loses nothing, wherever it is dropped, and changes no meaning within an intersection", () => {
    for (let seed = 1; seed <= 200; seed += 1) {
      const draw = drawFrom(seed);
      const tree = drawTree(draw);
      const [node, target] = [oneOf(nodesOf(tree), draw), oneOf(nodesOf(tree), draw)];
      if (!canDrop(tree, node.key, target.key)) continue;
      const outcome = dropped(tree, node.key, dropOnRow(tree, target.key, draw()));
      if (!("tree" in outcome)) continue;
      const leaves = (each: typeof tree) =>
        leavesOf(each)
          .filter((leaf) => leaf.kind !== "hole")
          .map(toQueryString)
          .toSorted();
      expect(leaves(outcome.tree)).toEqual(leaves(tree));
      const shuffled = attempt(tree, node.key, "moveDown");
      const isOrdered = toQueryString(tree).includes("except");
      if ("tree" in shuffled && !isOrdered) expect(meaning(shuffled.tree)).toBe(meaning(tree));
    }
  });
});
