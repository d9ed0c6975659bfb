import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { type TagDetailFragment, TagPageDocument, TagProgressDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { lazy } from "../../app/lazy";
import { can } from "../../app/viewer";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Row, Stack } from "../../ui/Layout";
import { PageHeader, Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { showToast } from "../../ui/toast";
import { DeleteDialog } from "./DeleteDialog";
import { FollowTags } from "./FollowTags";
import { closedBecause } from "./gate";
import { useManageReason } from "./hooks";
import { MembersSection } from "./MembersSection";
import { NamesForm } from "./NamesForm";
import { OfficialAccountSection } from "./OfficialAccountSection";
import { paths } from "./paths";
import { SizesSection } from "./SizesSection";
import { TagFacts } from "./TagFacts";
import { TagNotices } from "./TagNotices";
import styles from "./TagPage.module.css";
import type { TagChange } from "./tagList";
import { UsedBySection } from "./UsedBySection";

const ReceiptsSection = lazy(() => import("../data/ReceiptsSection"));
const SETTLE = 300;
const POLL_PENDING = 2_000;

export default function TagPage({ params }: { params: Record<string, string> }) {
  const { channel = "", tag: id = "" } = params;
  const m = useMessages();
  const asked = useQuery(TagPageDocument, { tag: id });
  const onEvent = useChanges(id, asked.again);
  return (
    <>
      <FollowTags key={channel} channel={channel} onEvent={onEvent} />
      <Answer asked={asked}>
        {({ node, viewer }) =>
          node && "memberCount" in node ? (
            <Tag key={id} tag={node} ready={viewer.ready} again={asked.again} />
          ) : (
            <EmptyState
              title={m.tags.notFound}
              action={<LinkButton href={paths.tags(channel)}>{m.tags.back}</LinkButton>}
            >
              {m.tags.notFoundHint}
            </EmptyState>
          )
        }
      </Answer>
    </>
  );
}

/**
 * Reads the tag again after whatever an event does not tell of: why it lapsed, what it is used by. Numbers, names and states
 * are in the events themselves; what becomes of the tag is said in passing.
 */
function useChanges(id: string, again: () => void): (event: TagChange) => void {
  const m = useMessages();
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return useCallback(
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
}

type TagProps = { tag: TagDetailFragment; ready: boolean; again: () => void };

function Tag({ tag, ready, again }: TagProps) {
  const m = useMessages();
  const [task, setTask] = useState<"none" | "naming" | "deleting">("none");
  const channel = tag.channel.id;
  const closed = closedBecause(ready, tag.channel);
  const reason = useEditReason(tag, useManageReason(closed));
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
          </>
        }
        description={task === "naming" ? undefined : (tag.description ?? m.tags.noDescription)}
        actions={
          living && (
            <Row top>
              {(tag.kind === "COMBO" || tag.kind === "AD") && reason === null && (
                <LinkButton href={paths.edit(channel, tag.id)}>{m.tags.edit}</LinkButton>
              )}
              {reason === null && <Button onClick={() => setTask("naming")}>{m.tags.rename}</Button>}
              <Button variant="danger" reason={reason} onClick={() => setTask("deleting")}>
                {m.tags.delete}
              </Button>
            </Row>
          )
        }
      />
      {task === "naming" && <NamesForm tag={tag} onDone={() => setTask("none")} onConflict={again} />}
      {task === "deleting" && <DeleteDialog tag={tag} channel={channel} onClose={() => setTask("none")} />}
      <TagNotices tag={tag} />
      <TagFacts tag={tag} />
      <SizesSection tag={tag.id} memberCount={tag.memberCount} living={living} />
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
      <UsedBySection key={tag.usedByPage.totalCount} tag={tag.id} channel={channel} />
      {can("SYNC") && tag.channel.kind !== "MINI_PROGRAM" && (
        <OfficialAccountSection
          tag={tag}
          link={tag.officialAccount}
          channel={channel}
          reason={closed === null ? null : m.tags.gate.title[closed]}
          again={again}
        />
      )}
      {living && <MembersSection tag={tag.id} channel={channel} memberCount={tag.memberCount} />}
    </Stack>
  );
}

/** Returns why a tag cannot be edited now; null if it can. */
function useEditReason(tag: TagDetailFragment, reason: string | null): string | null {
  const m = useMessages();
  return tag.kind === "DEFAULT" && can("MANAGE_TAGS") ? m.tags.protectedReason : reason;
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
