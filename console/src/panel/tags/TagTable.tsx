import { useEffect, useRef, useState } from "preact/hooks";
import type { TagInViewFragment } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { byCategory } from "./listChoice";
import { TagRow } from "./TagRow";
import styles from "./TagTable.module.css";
import type { TagRow as Tag } from "./tagList";

const STEP = 120;

type TagTableProps = {
  tags: readonly Tag[];
  views: ReadonlyMap<string, TagInViewFragment>;
  channel: string;
  adReturnConfirmed: boolean;
  showsSync: boolean;
  /** By category, each under its name; otherwise one list in which each row names its category. */
  grouped: boolean;
  observe: (row: Element | null) => void;
  /** Is told when a hand or the focus is on the rows, so that they stay where they are. */
  onHold: (held: boolean) => void;
};

/** Shows tags as rows, as many as have been scrolled to; arrow keys go from tag to tag. */
export function TagTable({ tags, grouped, onHold, ...row }: TagTableProps) {
  const m = useMessages();
  const [shown, setShown] = useState(STEP);
  const some = tags.slice(0, shown);
  const rowOf = (tag: Tag) => (
    <TagRow
      key={tag.id}
      tag={tag}
      view={row.views.get(tag.id)}
      channel={row.channel}
      adReturnConfirmed={row.adReturnConfirmed}
      showsSync={row.showsSync}
      showsCategory={!grouped}
      observe={row.observe}
    />
  );
  const columns = row.showsSync ? 6 : 5;
  return (
    <div
      class={styles.frame}
      onPointerEnter={() => onHold(true)}
      onPointerLeave={() => onHold(false)}
      onFocusIn={() => onHold(true)}
      onFocusOut={() => onHold(false)}
    >
      <table class={styles.table} onKeyDown={moveFocus}>
        <caption class="visually-hidden">{m.tags.heading}</caption>
        <thead>
          <tr>
            <th scope="col">{m.tags.columns.tag}</th>
            <th scope="col" class={styles.state}>
              {m.tags.columns.state}
            </th>
            <th scope="col" class={styles.people}>
              {m.tags.columns.people}
            </th>
            <th scope="col" class={styles.trend}>
              {m.tags.columns.trend}
            </th>
            <th scope="col" class={styles.usedBy}>
              {m.tags.columns.usedBy}
            </th>
            {row.showsSync && (
              <th scope="col" class={styles.sync}>
                {m.tags.columns.sync}
              </th>
            )}
          </tr>
        </thead>
        {grouped ? (
          byCategory(some).map(({ category, tags: ofCategory }) => (
            <tbody key={category}>
              <tr class={styles.heading}>
                <th scope="rowgroup" colSpan={columns}>
                  {category}
                </th>
              </tr>
              {ofCategory.map(rowOf)}
            </tbody>
          ))
        ) : (
          <tbody>{some.map(rowOf)}</tbody>
        )}
      </table>
      {tags.length > shown && (
        <More count={Math.min(STEP, tags.length - shown)} onMore={() => setShown(shown + STEP)} />
      )}
    </div>
  );
}

/** Shows more rows as soon as it is scrolled to, or pressed. */
function More({ count, onMore }: { count: number; onMore: () => void }) {
  const m = useMessages();
  const ref = useRef<HTMLDivElement>(null);
  const more = useRef(onMore);
  more.current = onMore;
  useEffect(() => {
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) more.current();
      },
      { rootMargin: "600px" },
    );
    if (ref.current) observer.observe(ref.current);
    return () => observer.disconnect();
  });
  return (
    <div ref={ref} class={styles.showMore}>
      <Button onClick={onMore}>{m.tags.showMore(formatCount(count))}</Button>
    </div>
  );
}

/** Arrow keys, Home and End go from tag to tag, wherever in a row the focus is. */
function moveFocus(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>("tr[data-tag]")];
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  if (at < 0 || to === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
  const link = rows[to]?.querySelector<HTMLElement>("a");
  if (!link) return;
  event.preventDefault();
  link.focus();
}
