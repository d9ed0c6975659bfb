import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Link, useSearchParams } from "wouter-preact";
import { type TagDetailFragment, TagPageDocument, TagProgressDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { lazy } from "../../app/lazy";
import { can } from "../../app/viewer";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { Row, Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { PageHeader, Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { showToast } from "../../ui/toast";
import { HistoryLink } from "../audit/HistoryLink";
import { isMergeable } from "../merging/mergeable";
import { DeleteDialog } from "./DeleteDialog";
import { type TagChange, useTagFeed } from "./feed";
import { MembersSection } from "./MembersSection";
import { MissingTag } from "./MissingTag";
import { NamesForm } from "./NamesForm";
import { OfficialAccountSection } from "./OfficialAccountSection";
import { paths } from "./paths";
import { SizesSection } from "./SizesSection";
import { TagFacts } from "./TagFacts";
import { TagNotices } from "./TagNotices";
import styles from "./TagPage.module.css";
import { UsedBySection } from "./UsedBySection";

const FlowSection = lazy(() => import("./FlowSection"));
const MergeDialog = lazy(() => import("../merging/MergeDialog"));
const MergeState = lazy(() => import("../merging/MergeState"));
const ReceiptsSection = lazy(() => import("../data/ReceiptsSection"));
const SETTLE = 300;
const POLL_PENDING = 2_000;

export default function TagPage({ params }: { params: Record<string, string> }) {
  const { channel = "", tag: id = "" } = params;
  const asked = useQuery(TagPageDocument, { tag: id });
  useChanges(id, asked.again);
  return (
    <Answer asked={asked}>
      {({ node }) =>
        node && "memberCount" in node ? (
          <Tag key={id} tag={node} again={asked.again} />
        ) : (
          <MissingTag channel={channel} />
        )
      }
    </Answer>
  );
}

/**
 * Reads the tag again after whatever an event does not tell of: why it lapsed, what it is used by. Numbers, names and states
 * are in the events themselves; what becomes of the tag is said in passing.
 */
function useChanges(id: string, again: () => void): void {
  const m = useMessages();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const onEvent = useCallback(
    ({ kind, tag }: TagChange) => {
      if (kind === "COUNT_CHANGED") return;
      if (kind === "STATE_CHANGED" && tag?.id === id) {
        if (tag.state === "ACTIVE") showToast({ text: m.tags.cameIntoEffect(tag.name) });
        if (tag.state === "LAPSED") showToast({ text: m.tags.hasLapsed(tag.name), tone: "negative" });
      }
      clearTimeout(timer.current);
      timer.current = setTimeout(again, SETTLE);
    },
    [id, again, m],
  );
  useTagFeed(onEvent);
}

type Task = "naming" | "deleting";
type TagProps = { tag: TagDetailFragment; again: () => void };

function Tag({ tag, again }: TagProps) {
  const m = useMessages();
  const [task, setTask] = useState<Task | null>(null);
  const channel = tag.channel.id;
  const living = tag.deletedAt === null;
  usePolling(tag);
  return (
    <Stack gap={5}>
      <PageHeader
        title={
          <span class={styles.title}>
            {tag.name}
            {living && <StateBadge state={tag.state}>{m.common.states[tag.state]}</StateBadge>}
          </span>
        }
        above={
          <>
            <Link href={paths.tags(channel)}>{m.tags.back}</Link> · {m.common.kinds[tag.kind]} ·{" "}
            {tag.category}
            <HistoryLink of={tag.id} />
          </>
        }
        description={task === "naming" ? undefined : (tag.description ?? m.tags.noDescription)}
        actions={living && can("MANAGE_TAGS") && <Actions tag={tag} channel={channel} onTask={setTask} />}
      />
      {task === "naming" && <NamesForm tag={tag} onDone={() => setTask(null)} onConflict={again} />}
      {task === "deleting" && <DeleteDialog tag={tag} channel={channel} onClose={() => setTask(null)} />}
      <TagNotices tag={tag} />
      {living && can("MANAGE_TAGS") && isMergeable(tag.kind) && (
        <Merging key={tag.id} tag={tag} channel={channel} />
      )}
      <TagFacts tag={tag} />
      <SizesSection tag={tag.id} memberCount={tag.memberCount} living={living} />
      <FlowSection tag={tag.id} memberCount={tag.memberCount} />
      {tag.__typename === "AdTag" && tag.adIds.length > 0 && (
        <Section card title={m.tags.adIds(formatCount(tag.adIds.length))}>
          <ul class={styles.ids}>
            {tag.adIds.map((adId) => (
              <li key={adId}>{adId}</li>
            ))}
          </ul>
        </Section>
      )}
      {tag.__typename === "ReturnTag" && <ReceiptsSection channel={channel} tag={tag.id} />}
      <UsedBySection
        key={tag.usedByPage.totalCount}
        tag={tag.id}
        channel={channel}
        isDefault={tag.kind === "DEFAULT"}
      />
      {can("SYNC") && tag.channel.kind !== "MINI_PROGRAM" && (living || tag.officialAccount) && (
        <OfficialAccountSection tag={tag} link={tag.officialAccount} channel={channel} again={again} />
      )}
      {living && <MembersSection tag={tag.id} channel={channel} memberCount={tag.memberCount} />}
    </Stack>
  );
}

/** Merges the tag into another, where the address asks for it, and says how far that is. */
function Merging({ tag, channel }: { tag: TagDetailFragment; channel: string }) {
  const [search] = useSearchParams();
  const into = search.get("merge");
  const [started, setStarted] = useState(0);
  const choose = useMergeChoice();
  return (
    <>
      <MergeState tag={tag.id} channel={channel} asOf={started} />
      {into !== null && into !== tag.id && (
        <MergeDialog
          tag={tag}
          channel={channel}
          into={into}
          onChoose={choose}
          onClose={() => choose(null)}
          onStarted={() => {
            choose(null);
            setStarted(Date.now());
          }}
        />
      )}
    </>
  );
}

/** Returns what writes into the address that the tag is to be merged, and into which: "" before that is chosen. */
function useMergeChoice(): (into: string | null) => void {
  const [, setSearch] = useSearchParams();
  return (into) =>
    setSearch((query) => {
      const written = new URLSearchParams(query);
      if (into === null) written.delete("merge");
      else written.set("merge", into);
      return written;
    });
}

type ActionsProps = { tag: TagDetailFragment; channel: string; onTask: (task: Task) => void };

function Actions({ tag, channel, onTask }: ActionsProps) {
  const m = useMessages();
  const merge = useMergeChoice();
  if (tag.kind === "DEFAULT") return <Reason>{m.tags.protectedReason}</Reason>;
  return (
    <Row top>
      {(tag.kind === "COMBO" || tag.kind === "AD") && (
        <LinkButton href={paths.edit(channel, tag.id)}>{m.tags.edit}</LinkButton>
      )}
      <Button onClick={() => onTask("naming")}>{m.tags.rename}</Button>
      {isMergeable(tag.kind) && <Button onClick={() => merge("")}>{m.tags.merge}</Button>}
      <Button variant="danger" onClick={() => onTask("deleting")}>
        {m.tags.delete}
      </Button>
    </Row>
  );
}

/** Asks again how far a combo is that is taking effect: no event tells that. */
function usePolling({ id, kind, state, deletedAt }: TagDetailFragment): void {
  const pause = kind !== "COMBO" || state !== "PENDING" || deletedAt !== null;
  const { again } = useQuery(TagProgressDocument, { tag: id }, { pause });
  useEffect(() => {
    if (pause) return;
    const timer = setInterval(again, POLL_PENDING);
    return () => clearInterval(timer);
  }, [pause, again]);
}
