import { useSearchParams } from "wouter-preact";
import { BroadcastsDocument, type BroadcastsQuery } from "../../../api/generated/graphql";
import { useQuery } from "../../../api/hooks";
import { Answer } from "../../../app/Answer";
import { LinkButton } from "../../../ui/Button";
import { EmptyState } from "../../../ui/EmptyState";
import { PlusIcon, SendIcon } from "../../../ui/icons";
import { Row, Stack } from "../../../ui/Layout";
import { PageHeader } from "../../../ui/Section";
import { TabLinks } from "../../../ui/Tabs";
import { useMessages } from "../messages";
import { FollowBroadcast } from "../parts/FollowBroadcast";
import { Guarded } from "../parts/Guarded";
import { paths } from "../parts/paths";
import { hasEnded, isShown, SHOWS, type Show } from "../parts/states";
import { BroadcastTable } from "./BroadcastTable";

const PAGE = 100;
/** So many are followed at once; those further down are up to date when the page is opened. */
const FOLLOWED = 8;

export default function BroadcastsPage({ params }: { params: Record<string, string> }) {
  return (
    <Guarded>
      <Broadcasts channel={params.channel ?? ""} />
    </Guarded>
  );
}

function Broadcasts({ channel }: { channel: string }) {
  const m = useMessages();
  const [search] = useSearchParams();
  const asked = useQuery(BroadcastsDocument, { channel, first: PAGE, after: search.get("after") });
  return (
    <Stack gap={5}>
      <PageHeader
        title={m.broadcasts.heading}
        above={asked.data?.channel?.name}
        actions={
          <>
            <LinkButton href={paths.policy(channel)}>{m.broadcasts.list.policy}</LinkButton>
            <LinkButton href={paths.compose(channel)} variant="primary" icon={<PlusIcon />}>
              {m.broadcasts.list.compose}
            </LinkButton>
          </>
        }
      />
      <Answer asked={asked}>{(data) => <List channel={channel} data={data} />}</Answer>
    </Stack>
  );
}

function List({ channel, data }: { channel: string; data: BroadcastsQuery }) {
  const m = useMessages();
  const [search] = useSearchParams();
  const show = shown(search.get("show"));
  const words = m.broadcasts.list;
  const list = data.channel?.broadcasts;
  const all = list?.nodes ?? [];
  if (all.length === 0) {
    const action = (
      <LinkButton href={paths.compose(channel)} variant="primary">
        {words.compose}
      </LinkButton>
    );
    return (
      <EmptyState title={words.emptyTitle} icon={<SendIcon size={24} />} action={action}>
        {words.emptyText}
      </EmptyState>
    );
  }
  const rows = all.filter((each) => isShown(show, each));
  const open = rows.filter((each) => !hasEnded(each.state)).slice(0, FOLLOWED);
  const address = (chosen: Show, after: string | null) => {
    const query = new URLSearchParams();
    if (chosen !== "ALL") query.set("show", chosen.toLowerCase());
    if (after) query.set("after", after);
    return query.size > 0 ? `${paths.list(channel)}?${query}` : paths.list(channel);
  };
  const tabs = SHOWS.map((each) => ({
    href: address(each, search.get("after")),
    label: words.filters[each],
    current: each === show,
  }));
  return (
    <Stack gap={4}>
      {open.map(({ id }) => (
        <FollowBroadcast key={id} id={id} />
      ))}
      <TabLinks label={words.filter} tabs={tabs} />
      {rows.length > 0 ? (
        <BroadcastTable channel={channel} rows={rows} />
      ) : (
        <EmptyState title={words.nothingTitle}>{words.nothingText}</EmptyState>
      )}
      <Row>
        {search.get("after") && <LinkButton href={address(show, null)}>{words.newest}</LinkButton>}
        {list?.pageInfo.hasNextPage && (
          <LinkButton href={address(show, list.pageInfo.endCursor)}>{words.older}</LinkButton>
        )}
      </Row>
    </Stack>
  );
}

function shown(query: string | null): Show {
  return SHOWS.find((each) => each.toLowerCase() === query) ?? "ALL";
}
