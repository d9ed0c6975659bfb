import { useEffect, useState } from "preact/hooks";
import {
  PersonHistoryDocument,
  type PersonHistoryQuery,
  type TagMarkFragment,
} from "../api/generated/graphql";
import { useQuery } from "../api/hooks";
import { ApiProblem } from "../app/ApiProblem";
import { useMessages } from "../i18n/messages";
import { Button } from "../ui/Button";
import { Loading } from "../ui/Loading";
import { Time } from "../ui/Time";
import styles from "./History.module.css";

type Change = NonNullable<PersonHistoryQuery["user"]>["tagHistory"]["nodes"][number];

interface HistoryProps {
  channel: string;
  openid: string;
  /** Grows with each change, so that the newest page is asked for again. */
  changes: number;
}

/** Shows how somebody's tags changed, the newest change first, page by page. */
export function History(props: HistoryProps) {
  return (
    <div class={styles.history}>
      <HistoryPage {...props} after={null} />
    </div>
  );
}

// The next page begins where this one ends now: with a new change on top, nothing falls between the two.
function HistoryPage({ channel, openid, changes, after }: HistoryProps & { after: string | null }) {
  const m = useMessages();
  const [opened, setOpened] = useState(false);
  const { data, problem, again } = useQuery(PersonHistoryDocument, { channel, openid, after });
  useEffect(() => {
    if (changes > 0 && after === null) again();
  }, [changes, after, again]);
  if (problem && !data) return <ApiProblem problem={problem} again={again} />;
  if (!data) return <Loading label={m.common.loading} count={3} />;
  const { nodes = [], pageInfo } = data.user?.tagHistory ?? {};
  if (nodes.length === 0 && after === null) return <p class={styles.note}>{m.card.noHistory}</p>;
  return (
    <>
      <ol class={styles.changes}>
        {nodes.map((change) => (
          <HistoryEntry key={keyOf(change)} change={change} />
        ))}
      </ol>
      {pageInfo?.hasNextPage && !opened && (
        <Button size="small" variant="quiet" onClick={() => setOpened(true)}>
          {m.common.more}
        </Button>
      )}
      {pageInfo?.hasNextPage && opened && (
        <HistoryPage channel={channel} openid={openid} changes={changes} after={pageInfo.endCursor} />
      )}
      {pageInfo && !pageInfo.hasNextPage && <p class={styles.note}>{m.card.historyEnd}</p>}
    </>
  );
}

function keyOf({ at, added, removed }: Change): string {
  return [at, ...added.map(({ id }) => id), "-", ...removed.map(({ id }) => id)].join(" ");
}

function HistoryEntry({ change }: { change: Change }) {
  const m = useMessages();
  return (
    <li class={styles.change}>
      <div class={styles.heading}>
        <span>{m.card.causes[change.cause]}</span>
        <Time at={change.at} />
      </div>
      <Marks sign="+" label={m.card.gained} tags={change.added} />
      <Marks sign="−" label={m.card.lost} tags={change.removed} />
    </li>
  );
}

function Marks({ sign, label, tags }: { sign: string; label: string; tags: readonly TagMarkFragment[] }) {
  const m = useMessages();
  if (tags.length === 0) return null;
  return (
    <ul class={styles.marks} aria-label={label}>
      {tags.map((tag) => (
        <li key={tag.id}>
          <span class={styles.sign} aria-hidden="true">
            {sign}
          </span>{" "}
          <span class="visually-hidden">{label} </span>
          {tag.name}
          {tag.deletedAt !== null && <span class={styles.note}> ({m.card.deleted})</span>}
        </li>
      ))}
    </ul>
  );
}
