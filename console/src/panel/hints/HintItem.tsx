import type { ComponentChildren } from "preact";
import { can } from "../../app/viewer";
import { Button, LinkButton } from "../../ui/Button";
import { InfoIcon, MinusIcon, OverlapIcon, SyncIcon, WarningIcon } from "../../ui/icons";
import { Row } from "../../ui/Layout";
import { TagChip } from "../../ui/TagChip";
import { useMessages } from "../looking/messages";
import { paths } from "../tags/paths";
import styles from "./Hints.module.css";
import { mayBeDeleted, mayBeEdited, mayBeMerged, sentenceOf, type TagHint } from "./hintWords";

const ICONS: Record<TagHint["kind"], ComponentChildren> = {
  DISJOINT: <WarningIcon />,
  EQUAL: <SyncIcon />,
  EMPTY: <MinusIcon />,
  SUBSET: <OverlapIcon />,
  UNUSED: <InfoIcon />,
};

interface HintItemProps {
  readonly hint: TagHint;
  readonly channel: string;
  readonly onDelete: () => void;
}

/** Says one hint, which tags it is about, and what can be done. */
export function HintItem({ hint, channel, onDelete }: HintItemProps) {
  const all = useMessages();
  const m = all.hints;
  const { kind, tag, other, text } = hint;
  const sentence = sentenceOf(hint, m);
  return (
    <li class={kind === "DISJOINT" ? styles.grave : styles.hint}>
      {/* Further kinds may be added to the API. */}
      <span class={styles.icon}>{ICONS[kind] ?? <InfoIcon />}</span>
      <div class={styles.text}>
        <p class={styles.sentence} lang={sentence === null ? "en" : undefined}>
          <span class={styles.kind}>{m.kinds[kind]}</span> {sentence ?? text}
        </p>
        {m.advice[kind] && <p class={styles.advice}>{m.advice[kind]}</p>}
        <Row>
          {[tag, ...(other ? [other] : [])].map((each) => (
            <TagChip
              key={each.id}
              kind={each.kind}
              kindLabel={all.common.kinds[each.kind]}
              name={`${each.category} / ${each.name}`}
              href={paths.tag(channel, each.id)}
            />
          ))}
        </Row>
      </div>
      <Actions hint={hint} channel={channel} onDelete={onDelete} />
    </li>
  );
}

function Actions({ hint, channel, onDelete }: HintItemProps) {
  const m = useMessages().hints;
  const { kind, tag, other } = hint;
  return (
    <Row>
      {other && kind !== "EQUAL" && (
        <LinkButton size="small" href={overlapHref(channel, tag.id, other.id)}>
          {m.overlap}
        </LinkButton>
      )}
      {other && can("MANAGE_TAGS") && mayBeMerged(hint) && (
        <LinkButton size="small" href={`${paths.tag(channel, tag.id)}?merge=${encodeURIComponent(other.id)}`}>
          {m.merge}
        </LinkButton>
      )}
      {can("MANAGE_TAGS") && mayBeEdited(hint) && (
        <LinkButton size="small" href={paths.edit(channel, tag.id)}>
          {m.edit}
        </LinkButton>
      )}
      {can("MANAGE_TAGS") && mayBeDeleted(hint) && (
        <Button size="small" label={`${m.delete}: ${tag.name}`} onClick={onDelete}>
          {m.delete}
        </Button>
      )}
    </Row>
  );
}

function overlapHref(channel: string, tag: string, other: string): string {
  const expression = `any(${encodeURIComponent(tag)},${encodeURIComponent(other)})`;
  return `/channels/${encodeURIComponent(channel)}/audience?${new URLSearchParams({ expression, view: "overlap" })}`;
}
