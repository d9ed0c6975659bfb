import { useEffect, useMemo, useState } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { pageSettings } from "../../app/pageSettings";
import { useMessages } from "../../i18n/messages";
import { EmptyState } from "../../ui/EmptyState";
import { Loading } from "../../ui/Loading";
import { Reason } from "../../ui/Reason";
import { TextInput } from "../../ui/TextInput";
import { conversationHref } from "../addresses";
import type { Conversation } from "../chat/demoChat";
import { useConversations } from "../chat/useChat";
import { ConversationList } from "./ConversationList";
import styles from "./ListPane.module.css";
import { findConversations, isOpenid } from "./order";

/** The recent conversations of a channel, to be searched by openid; whoever is not among them can be opened, too. */
export function ListPane({ channel, chosen }: { channel: string; chosen: string | null }) {
  const m = useMessages();
  const [, navigate] = useLocation();
  const [sought, setSought] = useState("");
  const [wrong, setWrong] = useState(false);
  const recent = useConversations(channel, pageSettings.demo);
  const opened = useOpened(chosen);
  const { failed } = recent;
  const conversations = pageSettings.demo ? recent.conversations : opened;
  const found = useMemo(() => findConversations(conversations ?? [], sought), [conversations, sought]);
  const hrefOf = (openid: string) => conversationHref(channel, openid);
  const open = (event: Event) => {
    event.preventDefault();
    const openid = sought.trim();
    setWrong(openid !== "" && !isOpenid(openid));
    if (isOpenid(openid)) navigate(hrefOf(openid));
  };
  return (
    <>
      <search>
        <form class={styles.search} onSubmit={open}>
          <TextInput
            type="search"
            label={m.conversation.search}
            hint={m.conversation.searchHint}
            error={wrong ? m.conversation.notAnOpenid : null}
            value={sought}
            onInput={(text) => {
              setSought(text);
              setWrong(false);
            }}
            mono
          />
        </form>
      </search>
      {failed && <Reason>{m.conversation.chatProblem}</Reason>}
      {conversations === undefined && !failed && <Loading label={m.common.loading} count={6} />}
      {pageSettings.demo && conversations?.length === 0 && (
        <EmptyState title={m.conversation.noneTitle}>{m.conversation.noneText}</EmptyState>
      )}
      {conversations !== undefined && conversations.length > 0 && found.length === 0 && (
        <EmptyState title={m.conversation.noneFoundTitle}>{m.conversation.noneFoundText}</EmptyState>
      )}
      {found.length > 0 && (
        <ConversationList channel={channel} conversations={found} chosen={chosen} hrefOf={hrefOf} />
      )}
    </>
  );
}

/** Remembers, while the page is open, whom somebody looked at, the last one first: without a chat there is no other list. */
function useOpened(chosen: string | null): readonly Conversation[] {
  const [opened, setOpened] = useState<readonly Conversation[]>([]);
  useEffect(() => {
    if (chosen === null) return;
    setOpened((before) =>
      before.some(({ openid }) => openid === chosen) ? before : [{ openid: chosen, last: null }, ...before],
    );
  }, [chosen]);
  return opened;
}
