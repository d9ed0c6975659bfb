import { Link } from "wouter-preact";
import type { TagInViewFragment } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Count } from "../../ui/Count";
import { memo } from "../../ui/memo";
import { Sparkline } from "../../ui/Sparkline";
import { StateBadge } from "../../ui/StateBadge";
import { TagChip } from "../../ui/TagChip";
import { HintLine } from "./HintLine";
import { hintOf } from "./hints";
import { paths } from "./paths";
import { SyncState } from "./SyncState";
import styles from "./TagTable.module.css";
import type { TagRow as Tag } from "./tagList";
import { clockTime } from "./words";

type TagRowProps = {
  tag: Tag;
  view: TagInViewFragment | undefined;
  channel: string;
  adReturnConfirmed: boolean;
  showsSync: boolean;
  showsCategory: boolean;
  observe: (row: Element | null) => void;
};

/**
 * Shows one tag of the list; rendered again only when something of it is another. An element that is kept by `useMemo` would
 * keep the rows among which it was made, and those the rows before them, for as long as the page is open.
 */
export const TagRow = memo(({ observe, ...shown }: TagRowProps) => (
  <tr data-tag={shown.tag.id} ref={observe}>
    <Cells {...shown} />
  </tr>
));

function Cells({
  tag,
  view,
  channel,
  adReturnConfirmed,
  showsSync,
  showsCategory,
}: Omit<TagRowProps, "observe">) {
  const m = useMessages();
  const hint = hintOf(tag, view, adReturnConfirmed);
  const asOf = view?.asOf ?? tag.asOf;
  return (
    <>
      <th scope="row" class={styles.tag}>
        {showsCategory && <span class={styles.category}>{tag.category}</span>}
        <TagChip
          kind={tag.kind}
          kindLabel={m.common.kinds[tag.kind]}
          state={tag.state}
          name={tag.name}
          href={paths.tag(channel, tag.id)}
        />
        {hint && <HintLine hint={hint} tag={tag} channel={channel} />}
      </th>
      <td class={styles.state}>
        <StateBadge state={tag.state}>{m.common.states[tag.state]}</StateBadge>
      </td>
      <td class={styles.people}>
        <span class={styles.label}>{m.tags.columns.people}</span>
        <span class={styles.count}>
          <Count value={tag.memberCount} />
        </span>
        {asOf && <span class={styles.asOf}>{m.tags.exactAsOf(clockTime(asOf))}</span>}
      </td>
      <td class={styles.trend}>{view && <Trend tag={tag} view={view} />}</td>
      <td class={styles.usedBy}>{view && <UsedBy view={view} channel={channel} />}</td>
      {showsSync && (
        <td class={styles.sync}>
          <span class={styles.label}>{m.tags.columns.sync}</span>
          {view && <SyncState link={view.officialAccount ?? null} />}
          {view?.officialAccount?.error && <span class={styles.error}>{view.officialAccount.error}</span>}
        </td>
      )}
    </>
  );
}

function Trend({ tag, view }: { tag: Tag; view: TagInViewFragment }) {
  const m = useMessages();
  const first = view.sizeHistory[0];
  if (!first) return null;
  const points = view.sizeHistory.slice(0, -1).map(({ at, memberCount }) => ({ at, value: memberCount }));
  points.push({ at: view.sizeHistory.at(-1)?.at ?? first.at, value: tag.memberCount });
  const label = m.tags.trend(formatCount(first.memberCount), formatCount(tag.memberCount));
  return <Sparkline points={points} label={label} />;
}

function UsedBy({ view, channel }: { view: TagInViewFragment; channel: string }) {
  const m = useMessages();
  const { totalCount, nodes } = view.usedByPage;
  if (totalCount === 0) return <span class={styles.none}>{m.tags.notUsed}</span>;
  return (
    <>
      <span class={styles.label}>{m.tags.columns.usedBy}</span>
      {nodes.map((combo) => (
        <TagChip
          key={combo.id}
          kind={combo.kind}
          kindLabel={m.common.kinds[combo.kind]}
          state={combo.state}
          name={combo.name}
          href={paths.tag(channel, combo.id)}
        />
      ))}
      {totalCount > nodes.length && (
        <Link href={paths.tag(channel, view.id)}>
          {m.tags.usedByMore(formatCount(totalCount - nodes.length))}
        </Link>
      )}
    </>
  );
}
