import { useCallback, useRef, useState } from "preact/hooks";
import type { Tree } from "./tree";

interface History {
  /** Makes a change that can be undone. */
  readonly change: (to: Tree) => void;
  readonly undo: () => void;
  readonly redo: () => void;
  readonly canUndo: boolean;
  readonly canRedo: boolean;
}

/** Remembers what a tree was before each change, as long as the editor is there. */
export function useHistory(value: Tree, onChange: (tree: Tree) => void): History {
  const past = useRef<Tree[]>([]);
  const future = useRef<Tree[]>([]);
  const [, setTurn] = useState(0);
  const current = useRef(value);
  current.current = value;
  const go = useCallback(
    (to: Tree) => {
      current.current = to;
      setTurn((turn) => turn + 1);
      onChange(to);
    },
    [onChange],
  );
  const change = useCallback(
    (to: Tree) => {
      past.current = [...past.current.slice(-99), current.current];
      future.current = [];
      go(to);
    },
    [go],
  );
  const undo = useCallback(() => {
    const before = past.current.pop();
    if (!before) return;
    future.current.push(current.current);
    go(before);
  }, [go]);
  const redo = useCallback(() => {
    const after = future.current.pop();
    if (!after) return;
    past.current.push(current.current);
    go(after);
  }, [go]);
  return { change, undo, redo, canUndo: past.current.length > 0, canRedo: future.current.length > 0 };
}
