import type { ActionName } from "./actions";
import type { Editing } from "./editing";
import { find, isGroup, nodesOf, parentOf } from "./tree";

interface TreeKeys {
  readonly undo: () => void;
  readonly redo: () => void;
  /** Puts the focus into the field of a group that adds to it. */
  readonly add: (group: string) => void;
  /** Opens what can be done with a node. */
  readonly openMenu: (key: string) => void;
  readonly goTo: (key: string) => void;
}

const MOVES: Record<string, ActionName> = {
  ArrowUp: "moveUp",
  ArrowDown: "moveDown",
  ArrowLeft: "moveOut",
  ArrowRight: "moveIn",
};

/** Returns what the tree does with keys that go to one of its nodes (the tree view pattern of ARIA). */
export function treeKeys(editing: Editing, { undo, redo, add, openMenu, goTo }: TreeKeys) {
  return (event: KeyboardEvent): void => {
    const isUndo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    const target = event.target as HTMLElement;
    if (target.getAttribute("role") !== "treeitem" && !(isUndo && target.tagName !== "INPUT")) return;
    const { tree, active } = editing;
    const go = (key: string | undefined) => key !== undefined && goTo(key);
    const act = (): boolean => {
      if (isUndo) {
        if (event.shiftKey) redo();
        else undo();
        return true;
      }
      if (event.ctrlKey || event.metaKey) return false;
      const move = event.altKey ? MOVES[event.key] : undefined;
      if (move) editing.perform(active, move);
      else if (event.altKey) return false;
      else if (event.key === "ContextMenu" || (event.key === "F10" && event.shiftKey)) openMenu(active);
      else if (event.key === "Delete" || event.key === "Backspace") editing.perform(active, "remove");
      else if (event.key === "Enter" || event.key === " ") enter(editing, add);
      else {
        const keys = nodesOf(tree).map((node) => node.key);
        const to = destination(editing, event.key, keys);
        if (to === null) return false;
        go(to);
      }
      return true;
    };
    if (!act()) return;
    event.preventDefault();
    event.stopPropagation();
  };
}

function enter({ tree, active, setChoosing }: Editing, add: (group: string) => void): void {
  const node = find(tree, active);
  if (!node) return;
  if (isGroup(node) && node.kind !== "except") add(node.key);
  else if (!isGroup(node)) setChoosing(node.key);
}

/** Returns the node to which a key leads, undefined if there is none; null for a key that leads nowhere. */
function destination(editing: Editing, key: string, keys: readonly string[]): string | undefined | null {
  const { tree, active } = editing;
  const place = keys.indexOf(active);
  const node = find(tree, active);
  if (key === "ArrowDown") return keys[place + 1];
  if (key === "ArrowUp") return keys[place - 1];
  if (key === "Home") return keys[0];
  if (key === "End") return keys.at(-1);
  if (key === "ArrowLeft") return parentOf(tree, active)?.key;
  if (key === "ArrowRight") return node && isGroup(node) ? node.children[0]?.key : undefined;
  return null;
}
