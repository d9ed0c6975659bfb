import type { RefObject } from "preact";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Count } from "../../ui/Count";
import { DragIcon, PeopleIcon } from "../../ui/icons";
import { StateBadge } from "../../ui/StateBadge";
import { TagChip } from "../../ui/TagChip";
import { useEditing } from "./editing";
import { NodeMenu } from "./NodeMenu";
import styles from "./NodeRow.module.css";
import { LeafPicker, OperatorSelect } from "./TreeItem";
import { isGroup, type Leaf, type Tree } from "./tree";
import { nameOf } from "./words";

interface NodeRowProps {
  readonly node: Tree;
  readonly role: string | undefined;
  readonly handle: RefObject<HTMLSpanElement | null>;
  readonly isRoot: boolean;
}

/** The line of one node: what it is, how many people, and what can be done with it. */
export function NodeRow({ node, role, handle, isRoot }: NodeRowProps) {
  const { tree } = useEditing();
  const isEmptyRoot = tree === node && isGroup(node) && node.children.length === 0;
  return (
    <div class={styles.row}>
      {!isRoot && (
        <span ref={handle} class={styles.handle} aria-hidden="true">
          <DragIcon size={14} />
        </span>
      )}
      <div class={styles.what}>
        {role && <span class={styles.role}>{role}</span>}
        {isGroup(node) ? <OperatorSelect node={node} /> : <LeafOf node={node} />}
      </div>
      <div class={styles.end}>
        <NodeCount node={node} />
        {!isEmptyRoot && <NodeMenu nodeKey={node.key} />}
      </div>
    </div>
  );
}

function LeafOf({ node }: { node: Leaf }) {
  const all = useMessages();
  const m = all.expressions;
  const { tree, known, choosing, setChoosing, idOf } = useEditing();
  if (node.kind === "hole") return <LeafPicker node={node} label={labelOf(tree, node, m)} />;
  if (choosing === node.key) {
    const done = () => {
      setChoosing(null);
      document.getElementById(idOf(node.key))?.focus();
    };
    return <LeafPicker node={node} label={m.change} onDone={done} />;
  }
  const change = () => setChoosing(node.key);
  const tag = node.kind === "tag" ? known.tag(node.tag) : null;
  if (!tag) {
    return (
      <button type="button" class={styles.other} tabIndex={-1} onClick={change}>
        {node.kind === "tag" && known.tag(node.tag) === undefined ? "…" : nameOf(node, known, m)}
      </button>
    );
  }
  return (
    <>
      <button type="button" class={styles.tag} tabIndex={-1} onClick={change}>
        <TagChip
          kind={tag.kind}
          name={tag.name}
          state={tag.deletedAt ? "LAPSED" : tag.state}
          kindLabel={all.common.kinds[tag.kind]}
        />
        <span class={styles.category}>{tag.category}</span>
      </button>
      {tag.state !== "ACTIVE" && !tag.deletedAt && (
        <StateBadge state={tag.state}>{all.common.states[tag.state]}</StateBadge>
      )}
    </>
  );
}

function labelOf(tree: Tree, node: Leaf, m: ReturnType<typeof useMessages>["expressions"]): string {
  if (tree === node) return m.choose;
  const isFrom = (each: Tree): boolean =>
    isGroup(each) && (each.children[0] === node || each.children.some(isFrom));
  return isFrom(tree) ? m.chooseFrom : m.chooseWithout;
}

/** How many people a node has: of a tag as it moves, of everything else as counted last. */
function NodeCount({ node }: { node: Tree }) {
  const m = useMessages().expressions;
  const { known, countOf, unusable } = useEditing();
  const tag = node.kind === "tag" ? known.tag(node.tag) : null;
  const { size, asking, problem } = countOf(node);
  const isCountable = tag ? unusable(tag) === null && tag.state === "ACTIVE" : size !== null;
  const value = tag ? tag.memberCount : (size?.count ?? 0);
  return (
    <span class={styles.count} aria-busy={asking || undefined} title={problem ? m.countFailed : undefined}>
      {isCountable ? (
        <>
          <span class={styles.figure} aria-hidden="true">
            <Count value={value} /> <PeopleIcon size={14} />
          </span>
          <span class="visually-hidden">{m.people(formatCount(value))}</span>
        </>
      ) : (
        <span aria-hidden="true">–</span>
      )}
    </span>
  );
}
