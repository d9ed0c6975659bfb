import { useComputed, useSignal } from "@preact/signals";
import type { PersonTagFragment } from "../api/generated/graphql";
import { formatInstant, formatList, formatMoment } from "../i18n/format";
import { useMessages } from "../i18n/messages";
import { Countdown } from "../ui/Countdown";
import { classes } from "../ui/classes";
import { now } from "../ui/clock";
import { TagChip } from "../ui/TagChip";
import styles from "./TagRows.module.css";
import { useShownTags } from "./useShownTags";
import { reasonOf } from "./why";

/** Where tags lead: to the panel around the card, to one in a tab of its own, or nowhere. */
type Lead = "here" | "beside" | undefined;

interface TagRowsProps {
  tags: readonly PersonTagFragment[];
  channel: string;
  lead: Lead;
}

/** Shows what tags a person has: since when, until when and why, all without a click. */
export function TagRows({ tags, channel, lead }: TagRowsProps) {
  const m = useMessages();
  const shown = useShownTags(tags);
  return (
    <ul class={styles.rows} aria-label={m.card.tags}>
      {shown.map(({ tag, phase }) => (
        <TagRow key={tag.id} held={tag} phase={phase} channel={channel} lead={lead} />
      ))}
    </ul>
  );
}

interface TagRowProps {
  held: PersonTagFragment;
  phase: "here" | "arrived" | "left";
  channel: string;
  lead: Lead;
}

function TagRow({ held, phase, channel, lead }: TagRowProps) {
  const m = useMessages();
  const { tag, since, until } = held;
  const reason = reasonOf(held, { m: m.card, instant: formatInstant, list: formatList });
  return (
    <li class={classes(styles.row, styles[phase])}>
      <div class={styles.first}>
        <TagChip
          kind={tag.kind}
          kindLabel={m.common.kinds[tag.kind]}
          name={<span class={styles.name}>{tag.name}</span>}
          {...(lead && { href: `/channels/${channel}/tags/${tag.id}`, newTab: lead === "beside" })}
        />
        <span class={styles.when}>
          {phase === "left" ? (
            m.card.left
          ) : (
            <When since={since} until={until} arrived={phase === "arrived"} />
          )}
        </span>
      </div>
      <p class={styles.why}>
        <span class={styles.category}>{tag.category}</span> {reason}
      </p>
    </li>
  );
}

/** Says since when, also over midnight, when the hour alone would be one of another day. */
function Since({ at }: { at: string }) {
  const m = useMessages();
  const time = useSignal(at);
  time.value = at;
  const text = useComputed(() => m.card.since(formatMoment(time.value, now.value)));
  return (
    <time dateTime={at} title={formatInstant(at)}>
      {text}
    </time>
  );
}

function When({ since, until, arrived }: { since: string | null; until: string | null; arrived: boolean }) {
  const m = useMessages();
  return (
    <>
      {arrived && <strong class={styles.new}>{m.card.arrived}</strong>}
      {until !== null ? (
        <span>
          {m.card.ends} <Countdown until={until} over="…" />
        </span>
      ) : (
        since !== null && !arrived && <Since at={since} />
      )}
    </>
  );
}
