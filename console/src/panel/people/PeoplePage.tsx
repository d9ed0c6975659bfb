import { useEffect, useState } from "preact/hooks";
import { useLocation, useSearchParams } from "wouter-preact";
import { lazy } from "../../app/lazy";
import { NewTabLink } from "../../app/NewTabLink";
import { can } from "../../app/viewer";
import { PersonCard } from "../../card/PersonCard";
import { conversationHref } from "../../conversation/addresses";
import { isOpenid } from "../../conversation/list/order";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { ChatIcon, PersonIcon, SearchIcon, TrashIcon } from "../../ui/icons";
import { Stack } from "../../ui/Layout";
import { PageHeader, Section } from "../../ui/Section";
import { TextInput } from "../../ui/TextInput";
import { ForgetDialog } from "./ForgetDialog";
import styles from "./PeoplePage.module.css";

const WhyNotSection = lazy(() => import("./WhyNotSection"));

function peopleHref(channel: string, openid: string): string {
  return `/channels/${encodeURIComponent(channel)}/people?${new URLSearchParams({ openid })}`;
}

/** People of a channel, found by openid: everything that is known of one, and the way to forget it. */
export default function PeoplePage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const channel = params.channel ?? "";
  const [query] = useSearchParams();
  const openid = query.get("openid");
  return (
    <>
      <PageHeader title={m.people.heading} description={m.people.description} />
      {can("VIEW_USERS") && <Search channel={channel} openid={openid} />}
      {openid === null && can("VIEW_USERS") ? (
        <EmptyState title={m.people.noneTitle} icon={<PersonIcon />}>
          {m.people.noneText}
        </EmptyState>
      ) : (
        <Person key={openid} channel={channel} openid={openid ?? ""} />
      )}
    </>
  );
}

function Search({ channel, openid }: { channel: string; openid: string | null }) {
  const m = useMessages();
  const [, navigate] = useLocation();
  const [text, setText] = useState(openid ?? "");
  const [wrong, setWrong] = useState(false);
  useEffect(() => setText(openid ?? ""), [openid]);
  const find = (event: Event) => {
    event.preventDefault();
    const sought = text.trim();
    setWrong(!isOpenid(sought));
    if (isOpenid(sought)) navigate(peopleHref(channel, sought));
  };
  return (
    <search>
      <form class={styles.search} onSubmit={find}>
        <TextInput
          type="search"
          label={m.people.openid}
          hint={m.people.openidHint}
          error={wrong ? m.conversation.notAnOpenid : null}
          value={text}
          onInput={(typed) => {
            setText(typed);
            setWrong(false);
          }}
          mono
        />
        <Button type="submit" variant="primary" icon={<SearchIcon />}>
          {m.people.find}
        </Button>
      </form>
    </search>
  );
}

function Person({ channel, openid }: { channel: string; openid: string }) {
  const m = useMessages();
  const [forgetting, setForgetting] = useState(false);
  const card = (
    <PersonCard channel={channel} openid={openid} hrefOf={peopleHref} tagsLead="here" wide level={3} />
  );
  if (!can("VIEW_USERS")) return card;
  return (
    <Stack gap={5}>
      <Section
        card
        title={<code class={styles.openid}>{openid}</code>}
        actions={
          <>
            <NewTabLink class={styles.link} href={conversationHref(channel, openid)}>
              <ChatIcon /> {m.people.conversation}
            </NewTabLink>
            <Button
              size="small"
              icon={<TrashIcon />}
              reason={can("MANAGE_CHANNELS") ? null : m.people.forgetReason}
              onClick={() => setForgetting(true)}
            >
              {m.people.forget}
            </Button>
          </>
        }
      >
        {card}
        <ForgetDialog
          channel={channel}
          openid={openid}
          open={forgetting}
          onClose={() => setForgetting(false)}
        />
      </Section>
      <WhyNotSection channel={channel} openid={openid} />
    </Stack>
  );
}
