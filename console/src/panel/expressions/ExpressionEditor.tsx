import { useCallback, useEffect, useId, useMemo, useRef, useState } from "preact/hooks";
import type { Problem } from "../../api/problem";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { UndoIcon } from "../../ui/icons";
import { showToast } from "../../ui/toast";
import { type ActionName, type Attempt, attempt, placeIn, within } from "./actions";
import { ChoicePicker } from "./ChoicePicker";
import { type Choice, leafOf } from "./choices";
import { countableNodes } from "./countableNodes";
import styles from "./ExpressionEditor.module.css";
import { type Allowed, type Editing, EditingContext, useEditing } from "./editing";
import { type KnownTag, useKnownNodes } from "./knownNodes";
import { Mending } from "./Mending";
import { obstacleText } from "./NodeMenu";
import { TreeItem } from "./TreeItem";
import { find, group, isGroup, leavesOf, MAX_LEAVES, parentOf, type Tree } from "./tree";
import { useCounts } from "./useCounts";
import { unusableReason, useFlaws } from "./useFlaws";
import { useHistory } from "./useHistory";
import { treeKeys } from "./useTreeKeys";
import { nameOf, sentenceOf } from "./words";

interface ExpressionEditorProps {
  readonly channel: string;
  readonly value: Tree;
  readonly onChange: (tree: Tree) => void;
  /** What it may be made of beside ACTIVE tags. */
  readonly allow?: Allowed;
  /** What the service said about the expression, shown at the nodes that it is about. */
  readonly problem?: Problem | null;
  /** Tags that cannot be chosen here, with the reason. */
  readonly forbidden?: ReadonlyMap<string, string>;
  /** Whether to say what is still to be chosen, for example after somebody tried to save. */
  readonly strict?: boolean;
  readonly label?: string;
}

const NONE: Allowed = {};
const NOTHING_FORBIDDEN: ReadonlyMap<string, string> = new Map();

/**
 * Edits an expression over the tags of a channel: by mouse, by keys, by touch; with the exact count of people at each node.
 * `value` may be unfinished (`toInput` is null then); `onChange` is told each change.
 */
export function ExpressionEditor(props: ExpressionEditorProps) {
  const { channel, value: tree, onChange, allow = NONE, forbidden = NOTHING_FORBIDDEN } = props;
  const m = useMessages().expressions;
  const id = useId();
  const known = useKnownNodes(tree);
  const unusable = useCallback(
    (tag: KnownTag) => unusableReason(tag, allow, forbidden, m),
    [allow, forbidden, m],
  );
  const flaws = useFlaws(tree, known, unusable, props.problem ?? null, props.strict ?? false, allow);
  const countable = useMemo(() => countableNodes(tree, known), [tree, known]);
  const countOf = useCounts(channel, countable);
  const history = useHistory(tree, onChange);
  const [chosenKey, setActive] = useState(tree.key);
  const active = find(tree, chosenKey) ? chosenKey : tree.key;
  const [choosing, setChoosing] = useState<string | null>(null);
  const [said, setSaid] = useState("");
  const focus = useRef<string | null>(null);
  const idOf = useCallback((key: string) => `${id}-${key}`, [id]);

  const goTo = (key: string) => {
    const element = document.getElementById(idOf(key));
    (key.endsWith("-add") ? element?.querySelector("input") : element)?.focus();
  };
  useEffect(() => {
    if (focus.current === null) return;
    goTo(focus.current);
    focus.current = null;
  });

  const apply = (outcome: Attempt, then: string, announcement?: string) => {
    if ("obstacle" in outcome) {
      const text = obstacleText(outcome.obstacle, m);
      setSaid(text);
      showToast({ text });
      return;
    }
    if (outcome.tree === tree) return;
    history.change(outcome.tree);
    focus.current = then || null;
    setSaid(announcement ?? placeText(outcome.tree, then) ?? m.changedTo(sentenceOf(outcome.tree, known, m)));
  };
  const placeText = (after: Tree, key: string): string | null => {
    const node = find(after, key);
    const parent = node && parentOf(after, key);
    if (!node || !parent) return null;
    const name = nameOf(node, known, m);
    return m.moved(name, placeIn(parent, key) + 1, parent.children.length, nameOf(parent, known, m));
  };
  const perform = (key: string, action: ActionName) => {
    const outcome = attempt(tree, key, action);
    if (action !== "remove" || "obstacle" in outcome) {
      apply(outcome, key);
      return;
    }
    const node = find(tree, key);
    const text = m.removed(node ? nameOf(node, known, m) : "");
    apply(outcome, neighbourOf(tree, outcome.tree, key), text);
    if (outcome.tree !== tree) showToast({ text, undo: { label: m.undo, run: history.undo } });
  };
  const editing: Editing = {
    ...{ channel, tree, allowed: allow, known, countOf, unusable, flaws, active, setActive },
    ...{ choosing, setChoosing, perform, apply, idOf },
  };
  const undo = () => {
    history.undo();
    setSaid(m.undone);
  };
  const redo = () => {
    history.redo();
    setSaid(m.redone);
  };
  const openMenu = (key: string) => {
    const item = document.getElementById(idOf(key));
    item?.querySelector<HTMLElement>("[aria-haspopup=menu]")?.click();
  };
  const add = (key: string) => goTo(`${key}-add`);
  return (
    <EditingContext.Provider value={editing}>
      <div class={styles.editor}>
        <Mending />
        <div
          role="tree"
          aria-label={props.label ?? m.label}
          class={styles.tree}
          onKeyDown={treeKeys(editing, { undo, redo, add, openMenu, goTo })}
        >
          <TreeItem node={tree} level={1} place={0} of={1} />
        </div>
        {!isGroup(tree) && tree.kind !== "hole" && <Beginning />}
        <div class={styles.foot}>
          {history.canUndo && (
            <Button size="small" variant="quiet" icon={<UndoIcon size={14} />} onClick={undo}>
              {m.undo}
            </Button>
          )}
          {history.canRedo && (
            <Button size="small" variant="quiet" onClick={redo}>
              {m.redo}
            </Button>
          )}
          <span>{m.leafCount(leavesOf(tree).length, MAX_LEAVES)}</span>
          <Keys />
        </div>
        <div role="status" class="visually-hidden">
          {said}
        </div>
      </div>
    </EditingContext.Provider>
  );
}

/** Adds to an expression that is a single leaf so far. */
function Beginning() {
  const m = useMessages().expressions;
  const { tree, known, apply } = useEditing();
  const pick = (choice: Choice) => {
    known.learn(choice);
    const leaf = leafOf(choice);
    apply(within(tree, { tree: group("all", [tree, leaf]) }), leaf.key);
  };
  return <ChoicePicker label={m.addTag} onPick={pick} />;
}

function Keys() {
  const m = useMessages().expressions;
  return (
    <details class={styles.keys}>
      <summary>{m.keys}</summary>
      <dl>
        {m.keyHelp.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              <kbd>{keys}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

/** Returns where to go when a node was removed: to what took its place, else to what was before it, else up. */
function neighbourOf(before: Tree, after: Tree, key: string): string {
  const parent = parentOf(before, key);
  if (!parent) return after.key;
  const place = placeIn(parent, key);
  const now = find(after, parent.key);
  const parts = now && isGroup(now) ? now.children : [];
  return (parts[place] ?? parts[place - 1] ?? parent).key;
}
