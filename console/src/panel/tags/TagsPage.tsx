import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { ApiProblem } from "../../app/ApiProblem";
import { can } from "../../app/viewer";
import { formatCount } from "../../i18n/format";
import { locale } from "../../i18n/language";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { InfoIcon, TagIcon } from "../../ui/icons";
import { Row, Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { PageHeader } from "../../ui/Section";
import { Filters } from "./Filters";
import type { TagChange } from "./feed";
import { useManageReason } from "./hooks";
import { chosenTags, heldOrder, type ListChoice, readChoice, writeChoice } from "./listChoice";
import { NewTagMenu } from "./NewTagMenu";
import { paths } from "./paths";
import { TagTable } from "./TagTable";
import type { TagRow } from "./tagList";
import { type TagList, useTagList } from "./useTagList";
import { useTagsInView } from "./useTagsInView";

const POLL_PENDING = 2_000;

export default function TagsPage({ params }: { params: Record<string, string> }) {
  const id = params.channel ?? "";
  const m = useMessages();
  const inView = useTagsInView();
  const told = useCallback(
    (changes: readonly TagChange[]) => {
      // Only numbers moved: the rows know. Else uses and reasons may be others, of other tags too.
      if (changes.some(({ kind }) => kind !== "COUNT_CHANGED")) inView.refresh();
    },
    [inView.refresh],
  );
  const { list, problem, again } = useTagList(id, told);
  const { channel } = list;
  const reason = useManageReason();
  return (
    <Stack gap={4}>
      <PageHeader
        title={m.tags.heading}
        description={channel?.name}
        actions={
          channel && (
            <Row>
              {can("VIEW_USERS") && (
                <LinkButton href={paths.hints(id)} icon={<InfoIcon size={14} />}>
                  {m.tags.worthALook}
                </LinkButton>
              )}
              <NewTagMenu channel={id} reason={reason} />
            </Row>
          )
        }
      />
      <ApiProblem problem={problem} again={again} />
      {channel === undefined && problem === null && <Loading label={m.common.loading} count={8} />}
      {channel && <Panel list={list} inView={inView} />}
    </Stack>
  );
}

type PanelProps = { list: TagList; inView: ReturnType<typeof useTagsInView> };

function Panel({ list, inView }: PanelProps) {
  const m = useMessages();
  const { channel, tags } = list;
  const [query, setQuery] = useSearchParams();
  const choice = useMemo(() => readChoice(query), [query]);
  const held = useRef(false);
  const hold = useCallback((now: boolean) => {
    held.current = now;
  }, []);
  const rows = useRows(list, choice, held);
  usePendingProgress(rows, inView.refresh);
  if (!channel) return null;
  const change = (to: ListChoice) => setQuery((now) => writeChoice(now, to), { replace: true });
  if (tags.size === 0 && list.complete) {
    return (
      <EmptyState title={m.tags.noTags} icon={<TagIcon size={24} />}>
        {m.tags.noTagsHint}
      </EmptyState>
    );
  }
  return (
    <>
      <Filters choice={choice} onChange={change} />
      <p role="status" class="visually-hidden">
        {m.tags.found(formatCount(rows.length), formatCount(tags.size))}
      </p>
      {!list.complete && <p>{m.tags.stillLoading(formatCount(tags.size), formatCount(list.total))}</p>}
      {rows.length === 0 && list.complete ? (
        <EmptyState
          title={m.tags.noneFound}
          action={
            <Button onClick={() => change({ ...choice, search: "", kind: null, state: null })}>
              {m.tags.clearFilters}
            </Button>
          }
        >
          {m.tags.noneFoundHint}
        </EmptyState>
      ) : (
        <TagTable
          key={`${choice.search} ${choice.kind} ${choice.state} ${choice.sort}`}
          tags={rows}
          views={inView.views}
          channel={channel.id}
          adReturnConfirmed={channel.adReturnConfirmed}
          showsSync={can("SYNC") && channel.kind !== "MINI_PROGRAM"}
          grouped={choice.sort === "name"}
          observe={inView.observe}
          onHold={hold}
        />
      )}
    </>
  );
}

/** Returns the rows that are chosen, in their order; while they are held, rows that stay do not move. */
function useRows(list: TagList, choice: ListChoice, held: { current: boolean }): readonly TagRow[] {
  const place = locale();
  const found = useMemo(() => chosenTags(list.tags.values(), choice, place), [list.tags, choice, place]);
  const before = useRef<{ choice: ListChoice; ids: readonly string[] }>({ choice, ids: [] });
  const rows =
    held.current && before.current.choice === choice ? heldOrder(before.current.ids, found) : found;
  before.current = { choice, ids: rows.map(({ id }) => id) };
  return rows;
}

/** Asks again how far combos are that are taking effect: no event tells that. */
function usePendingProgress(rows: readonly TagRow[], refresh: (ids: readonly string[]) => void): void {
  const pending = rows
    .filter(({ kind, state }) => kind === "COMBO" && state === "PENDING")
    .map(({ id }) => id);
  const key = pending.join(" ");
  useEffect(() => {
    if (key === "") return;
    const timer = setInterval(() => refresh(key.split(" ")), POLL_PENDING);
    return () => clearInterval(timer);
  }, [key, refresh]);
}
