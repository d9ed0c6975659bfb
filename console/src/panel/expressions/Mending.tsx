import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { Problem } from "../../ui/Problem";
import { ChoicePicker } from "./ChoicePicker";
import { type Choice, leafOf, nameOfChoice } from "./choices";
import { useEditing } from "./editing";
import styles from "./Mending.module.css";
import { removeTag, replaceTag } from "./operations";
import { leavesOf, tagIdsOf } from "./tree";

/** Offers to replace each tag that cannot be used by another, wherever it is, in one gesture; nothing while all can be. */
export function Mending() {
  const m = useMessages().expressions;
  const { tree, known, unusable } = useEditing();
  const broken = tagIdsOf(tree).flatMap((id) => {
    const tag = known.tag(id);
    if (tag === undefined) return [];
    const reason = tag === null ? m.notUsable.UNKNOWN : unusable(tag);
    return reason === null ? [] : [{ id, name: tag?.name ?? m.unknownTag, reason }];
  });
  if (broken.length === 0) return null;
  return (
    <Problem tone="caution" title={m.mendTitle}>
      <ul class={styles.list}>
        {broken.map((tag) => (
          <BrokenTag key={tag.id} {...tag} />
        ))}
      </ul>
    </Problem>
  );
}

function BrokenTag({ id, name, reason }: { id: string; name: string; reason: string }) {
  const m = useMessages().expressions;
  const { tree, known, apply } = useEditing();
  const places = leavesOf(tree).filter((leaf) => leaf.kind === "tag" && leaf.tag === id).length;
  const replace = (choice: Choice) => {
    known.learn(choice);
    const text = m.replaced(name, nameOfChoice(choice, m));
    apply({ tree: replaceTag(tree, id, () => leafOf(choice)) }, tree.key, text);
  };
  const takeOut = () => apply({ tree: removeTag(tree, id) }, tree.key, m.removed(name));
  return (
    <li class={styles.tag}>
      <span>
        <strong>{name}</strong>
        {places > 1 && ` × ${formatCount(places)}`} {reason}
      </span>
      <ChoicePicker label={m.mendBy(name)} onPick={replace} />
      <Button size="small" onClick={takeOut}>
        {m.mendRemove}
      </Button>
    </li>
  );
}
