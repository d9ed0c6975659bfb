import { useRef } from "preact/hooks";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { classes } from "../../ui/classes";
import { WarningIcon } from "../../ui/icons";
import { otherThan, within } from "./actions";
import { ChoicePicker } from "./ChoicePicker";
import { type Choice, leafOf } from "./choices";
import { useEditing } from "./editing";
import { NodeRow } from "./NodeRow";
import { insert, setOperator } from "./operations";
import styles from "./TreeItem.module.css";
import { type Group, group, isGroup, type Leaf, type Operator, replace, type Tree } from "./tree";
import { useDragging } from "./useDragging";

interface TreeItemProps {
  readonly node: Tree;
  readonly level: number;
  readonly place: number;
  /** How many parts the group has in which the node is. */
  readonly of: number;
  /** What the node is to the `except` that it is in. */
  readonly role?: string | undefined;
}

/** One node of the expression with everything in it. */
export function TreeItem({ node, level, place, of, role }: TreeItemProps) {
  const { active, setActive, idOf, flaws } = useEditing();
  const row = useRef<HTMLDivElement>(null);
  const handle = useRef<HTMLSpanElement>(null);
  const { over, isDragged } = useDragging(node.key, row, handle);
  const problems = flaws.get(node.key) ?? [];
  const focused = (event: FocusEvent) => {
    event.stopPropagation();
    if (active !== node.key) setActive(node.key);
  };
  // The rows are the items, at their levels: an item that held what is in a group would be called by all of that.
  return (
    <div class={classes(styles.item, isDragged && styles.dragged)} onFocusIn={focused}>
      <div
        ref={row}
        id={idOf(node.key)}
        role="treeitem"
        aria-level={level}
        aria-posinset={place + 1}
        aria-setsize={of}
        aria-selected={active === node.key}
        aria-describedby={problems.length > 0 ? `${idOf(node.key)}-flaws` : undefined}
        tabIndex={active === node.key ? 0 : -1}
        class={classes(styles.target, over && styles[over.kind])}
      >
        <NodeRow node={node} role={role} handle={handle} isRoot={level === 1} />
        {problems.length > 0 && (
          <ul id={`${idOf(node.key)}-flaws`} class={styles.flaws}>
            {problems.map((problem) => (
              <li key={problem}>
                <WarningIcon size={14} /> {problem}
              </li>
            ))}
          </ul>
        )}
      </div>
      {isGroup(node) && <Parts node={node} level={level} />}
    </div>
  );
}

function Parts({ node, level }: { node: Group; level: number }) {
  const m = useMessages().expressions;
  const roles = node.kind === "except" ? [m.from, m.without] : [];
  return (
    <div class={classes(styles.inside, styles[node.kind])}>
      {node.children.map((child, at) => (
        <TreeItem
          key={child.key}
          node={child}
          level={level + 1}
          place={at}
          of={node.children.length}
          role={roles[at]}
        />
      ))}
      {node.kind !== "except" && <Adding node={node} level={level + 1} />}
    </div>
  );
}

function Adding({ node, level }: { node: Group; level: number }) {
  const m = useMessages().expressions;
  const { tree, known, apply, idOf } = useEditing();
  const add = (leaf: Tree, focus: string) => {
    apply(within(tree, { tree: insert(tree, node.key, node.children.length, leaf) }), focus);
  };
  const pick = (choice: Choice) => {
    known.learn(choice);
    add(leafOf(choice), `${node.key}-add`);
  };
  const addGroup = () => {
    const inner = group(otherThan(node), []);
    add(inner, `${inner.key}-add`);
  };
  const label = node.children.length === 0 ? m.choose : m.addTag;
  return (
    <div id={idOf(`${node.key}-add`)} role="treeitem" aria-level={level} tabIndex={-1} class={styles.adding}>
      <ChoicePicker
        label={label}
        onPick={pick}
        onCancel={() => document.getElementById(idOf(node.key))?.focus()}
      />
      <Button variant="quiet" size="small" onClick={addGroup}>
        {m.addGroup}
      </Button>
    </div>
  );
}

/** Puts a choice in the place of a leaf. */
export function LeafPicker({ node, label, onDone }: { node: Leaf; label: string; onDone?: () => void }) {
  const { tree, known, apply } = useEditing();
  const pick = (choice: Choice) => {
    known.learn(choice);
    const leaf = leafOf(choice);
    onDone?.();
    apply({ tree: replace(tree, node.key, leaf) }, leaf.key);
  };
  return <ChoicePicker label={label} onPick={pick} {...(onDone && { autofocus: true, onCancel: onDone })} />;
}

/** Chooses how a group combines its parts. */
export function OperatorSelect({ node }: { node: Group }) {
  const m = useMessages().expressions;
  const { tree, apply, active } = useEditing();
  const outcome = (operator: Operator) => within(tree, { tree: setOperator(tree, node.key, operator) });
  return (
    <select
      class={styles.operator}
      aria-label={m.operator}
      title={m.operatorHint[node.kind]}
      value={node.kind}
      tabIndex={active === node.key ? 0 : -1}
      onChange={(event) => apply(outcome(event.currentTarget.value as Operator), "")}
    >
      {(["all", "any", "except"] as const).map((operator) => (
        <option key={operator} value={operator} disabled={"obstacle" in outcome(operator)}>
          {m.operators[operator]}
        </option>
      ))}
    </select>
  );
}
