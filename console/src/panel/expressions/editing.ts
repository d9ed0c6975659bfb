import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { ActionName, Attempt } from "./actions";
import type { Counted } from "./countKeeper";
import type { KnownNodes, KnownTag } from "./knownNodes";
import type { Tree } from "./tree";

/** What beside ACTIVE tags an expression may be made of. */
export interface Allowed {
  readonly followers?: boolean;
  readonly received?: boolean;
  /** Tags that are still taking effect, for which a combo waits. */
  readonly pending?: boolean;
}

/** What the parts of the editor share. */
export interface Editing {
  readonly channel: string;
  readonly tree: Tree;
  readonly allowed: Allowed;
  readonly known: KnownNodes;
  readonly countOf: (node: Tree) => Counted;
  /** Returns why a tag cannot be part of the expression; null if it can. */
  readonly unusable: (tag: KnownTag) => string | null;
  /** What is wrong with nodes, in sentences, by their keys. */
  readonly flaws: ReadonlyMap<string, readonly string[]>;
  /** The node to which the keys of the tree go. */
  readonly active: string;
  readonly setActive: (key: string) => void;
  /** The leaf in whose place another choice is made now. */
  readonly choosing: string | null;
  readonly setChoosing: (key: string | null) => void;
  readonly perform: (key: string, action: ActionName) => void;
  /** Applies a change, then goes to the node of this key; says something, or what the expression is now. */
  readonly apply: (outcome: Attempt, focus: string, said?: string) => void;
  /** Returns the id of a node's element. */
  readonly idOf: (key: string) => string;
}

export const EditingContext = createContext<Editing | null>(null);

/** Returns what the parts of the editor share; to be called inside of one. */
export function useEditing(): Editing {
  const editing = useContext(EditingContext);
  if (!editing) throw new Error("outside of an editor of expressions");
  return editing;
}
