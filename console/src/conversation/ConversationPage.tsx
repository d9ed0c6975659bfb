import { useCallback, useState } from "preact/hooks";
import { useLocation, useSearchParams } from "wouter-preact";
import { ChannelsDocument } from "../api/generated/graphql";
import { useQuery } from "../api/hooks";
import type { Problem } from "../api/problem";
import { Answer } from "../app/Answer";
import { ApiProblem } from "../app/ApiProblem";
import { pageSettings } from "../app/pageSettings";
import { can } from "../app/viewer";
import { PersonCard } from "../card/PersonCard";
import { useMessages } from "../i18n/messages";
import { LinkButton } from "../ui/Button";
import { classes } from "../ui/classes";
import { EmptyState } from "../ui/EmptyState";
import { ChatIcon, ChevronLeftIcon } from "../ui/icons";
import { Row, Stack } from "../ui/Layout";
import { Select } from "../ui/Select";
import { Tabs } from "../ui/Tabs";
import { conversationHref } from "./addresses";
import styles from "./ConversationPage.module.css";
import { ChatPane } from "./chat/ChatPane";
import { ListPane } from "./list/ListPane";
import { useRoomForAll } from "./useRoomForAll";

/** As the service would say of a channel that is not among those of the token. */
const NO_SUCH_CHANNEL: Problem = {
  code: "NOT_FOUND",
  message: "",
  fields: [],
  retryAfter: null,
  requestId: null,
  errcode: null,
};

/** Recent conversations, the chosen one, and who that person is. */
export function ConversationPage() {
  const m = useMessages();
  const channels = useQuery(ChannelsDocument, {});
  const [query] = useSearchParams();
  const [, navigate] = useLocation();
  if (!can("VIEW_USERS")) return <PersonCard channel="" openid="" hrefOf={conversationHref} />;
  return (
    <Answer asked={channels}>
      {({ channels: found }) => {
        const channel = query.get("channel") ?? found?.[0]?.id;
        if (channel === undefined) {
          return (
            <EmptyState title={m.conversation.noChannelsTitle}>{m.conversation.noChannelsText}</EmptyState>
          );
        }
        if (found && !found.some(({ id }) => id === channel)) return <NoSuchChannel />;
        const select = (
          <Select
            label={m.conversation.channel}
            hideLabel
            value={channel}
            options={(found ?? []).map(({ id, name }) => ({ value: id, label: name }))}
            onChange={(chosen) => navigate(conversationHref(chosen))}
          />
        );
        return <Panes key={channel} channel={channel} openid={query.get("openid")} channelSelect={select} />;
      }}
    </Answer>
  );
}

function NoSuchChannel() {
  const m = useMessages();
  return (
    <div class={styles.person}>
      <Stack>
        <ApiProblem problem={NO_SUCH_CHANNEL} />
        <Row>
          <LinkButton href={conversationHref(null)}>{m.conversation.back}</LinkButton>
        </Row>
      </Stack>
    </div>
  );
}

interface PanesProps {
  channel: string;
  openid: string | null;
  channelSelect: preact.ComponentChildren;
}

function Panes({ channel, openid, channelSelect }: PanesProps) {
  const m = useMessages();
  const [asked, setAsked] = useState(0);
  const onNews = useCallback(() => setAsked((before) => before + 1), []);
  return (
    <div class={classes(styles.panes, openid !== null && styles.chosen)}>
      <div class={styles.list}>
        <div class={styles.channel}>{channelSelect}</div>
        <ListPane channel={channel} chosen={openid} />
      </div>
      {openid === null ? (
        <div class={styles.nobody}>
          <EmptyState title={m.conversation.openTitle} icon={<ChatIcon size={24} />}>
            {pageSettings.demo ? m.conversation.openText : m.conversation.openByOpenid}
          </EmptyState>
        </div>
      ) : (
        <Chosen key={openid} channel={channel} openid={openid} asked={asked} onNews={onNews} />
      )}
    </div>
  );
}

interface ChosenProps {
  channel: string;
  openid: string;
  asked: number;
  onNews: () => void;
}

function Chosen({ channel, openid, asked, onNews }: ChosenProps) {
  const m = useMessages();
  const [view, setView] = useState<"chat" | "person">("chat");
  const roomForAll = useRoomForAll();
  const card = (
    <PersonCard
      channel={channel}
      openid={openid}
      hrefOf={conversationHref}
      asked={asked}
      tagsLead="beside"
      level={3}
      wide={!pageSettings.demo}
    />
  );
  const back = (
    <div class={styles.back}>
      <LinkButton href={conversationHref(channel)} variant="quiet" size="small" icon={<ChevronLeftIcon />}>
        {m.conversation.back}
      </LinkButton>
    </div>
  );
  if (!pageSettings.demo) {
    return (
      <div class={styles.person}>
        {back}
        {card}
      </div>
    );
  }
  const chat = <ChatPane channel={channel} openid={openid} onNews={onNews} />;
  if (roomForAll) {
    return (
      <>
        <div class={styles.chat}>{chat}</div>
        <aside class={styles.aside} aria-label={m.card.person}>
          <h2 class="visually-hidden">{m.card.person}</h2>
          {card}
        </aside>
      </>
    );
  }
  return (
    <div class={styles.either}>
      {back}
      <Tabs
        label={m.conversation.openTitle}
        tabs={[
          { id: "chat", label: m.conversation.chat },
          { id: "person", label: m.conversation.person },
        ]}
        selected={view}
        onSelect={setView}
      >
        <div class={view === "chat" ? styles.chat : styles.person}>{view === "chat" ? chat : card}</div>
      </Tabs>
    </div>
  );
}
