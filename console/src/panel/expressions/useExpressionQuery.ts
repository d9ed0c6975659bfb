import { useCallback, useRef } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { toQueryString, treeOfQuery } from "./queryString";
import { sameTree, type Tree } from "./tree";

/**
 * Keeps an expression in the `expression` of the address, so that every state of it has a link. Without one it is `initial`,
 * or empty.
 */
export function useExpressionQuery(initial?: Tree): [Tree, (tree: Tree) => void] {
  const [query, setQuery] = useSearchParams();
  const written = query.get("expression");
  const last = useRef<Tree | null>(null);
  const read = written === null && initial ? initial : treeOfQuery(written);
  // The same expression keeps its nodes, or the focus would be lost with each change.
  if (last.current === null || !sameTree(last.current, read)) last.current = read;
  const setTree = useCallback(
    (tree: Tree) => {
      last.current = tree;
      setQuery(
        (before) => {
          const after = new URLSearchParams(before);
          after.set("expression", toQueryString(tree));
          return after;
        },
        { replace: true },
      );
    },
    [setQuery],
  );
  return [last.current, setTree];
}
