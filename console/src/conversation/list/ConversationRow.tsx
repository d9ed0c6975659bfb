import type { Signal } from "@preact/signals";
import { memo } from "preact/compat";
import { useCallback } from "preact/hooks";
import { Link } from "wouter-preact";
import {
  ConversationTagsDocument,
  type ConversationTagsSubscription,
  type TagMarkFragment,
} from "../../api/generated/graphql";
import { useSubscription } from "../../api/hooks";
import { useMessages } from "../../i18n/messages";
import { TagChip } from "../../ui/TagChip";
import { Time } from "../../ui/Time";
import type { Conversation } from "../chat/demoChat";
import { tellOf } from "../chat/tell";
import styles from "./ConversationList.module.css";
import type { Chips as ChipsOf, People } from "./people";

const SHOWN = 2;

interface ConversationRowProps {
  channel: string;
  conversation: Conversation;
  href: string;
  current: boolean;
  /** Whether it is the one of the list that the focus goes to. */
  focusable: boolean;
  /** Whether its tags are followed: it is in sight. */
  live: boolean;
  people: People;
}

/** One conversation: whose, what was said last, and the person's tags, live while it is in sight. */
export const ConversationRow = memo(function ConversationRow(props: ConversationRowProps) {
  const { channel, conversation, href, current, focusable, live, people } = props;
  const { openid, last } = conversation;
  const m = useMessages();
  const chips = people.of(openid);
  return (
    <Link
      href={href}
      class={styles.link}
      aria-current={current ? "true" : undefined}
      tabIndex={focusable ? 0 : -1}
    >
      <span class={styles.first}>
        <span class={styles.openid} title={openid}>
          {shortened(openid)}
        </span>
        {last && (
          <span class={styles.when}>
            <Time at={last.at} />
          </span>
        )}
      </span>
      <span class={styles.text}>
        {last?.by === "ACCOUNT" && (
          <span class={styles.by}>{m.conversation.sentBy[last.kind] ?? m.conversation.you}: </span>
        )}
        {last ? tellOf(last, m.conversation) : m.conversation.openedHere}
      </span>
      <Chips tags={chips.value ?? []} />
      {live && <Follow channel={channel} openid={openid} chips={chips} />}
    </Link>
  );
});

/** Keeps the tags of a person as they are now; of its own, since most rows that come and go in a scroll need none of it. */
function Follow({ channel, openid, chips }: { channel: string; openid: string; chips: Signal<ChipsOf> }) {
  const onEvent = useCallback(
    ({ userTags }: ConversationTagsSubscription) => {
      chips.value = userTags.tags;
    },
    [chips],
  );
  useSubscription(ConversationTagsDocument, { channel, openid, after: null }, { onEvent });
  return null;
}

function Chips({ tags }: { tags: readonly TagMarkFragment[] }) {
  const m = useMessages();
  // What somebody made says more than what everybody has one of.
  const [made, ready] = [
    tags.filter(({ kind }) => kind !== "DEFAULT"),
    tags.filter(({ kind }) => kind === "DEFAULT"),
  ];
  const sorted = [...made, ...ready];
  const rest = sorted.slice(SHOWN);
  return (
    <span class={styles.chips}>
      {sorted.slice(0, SHOWN).map((tag) => (
        <TagChip key={tag.id} kind={tag.kind} kindLabel={m.common.kinds[tag.kind]} name={tag.name} />
      ))}
      {rest.length > 0 && (
        <span class={styles.rest} title={rest.map(({ name }) => name).join(", ")}>
          +{rest.length}
        </span>
      )}
    </span>
  );
}

/** Shortens an openid in its middle: those of one account begin alike. */
function shortened(openid: string): string {
  return openid.length <= 18 ? openid : `${openid.slice(0, 6)}…${openid.slice(-10)}`;
}
