import { useEffect } from "preact/hooks";
import { useSearchParams } from "wouter-preact";
import { PersonCard } from "../card/PersonCard";
import { useMessages } from "../i18n/messages";
import { EmptyState } from "../ui/EmptyState";
import { nameWindow } from "../ui/title";
import { cardHref } from "./addresses";
import styles from "./CardPage.module.css";

/** The card of one person alone, for the page of a helpdesk around it. */
export function CardPage() {
  const m = useMessages();
  const [query] = useSearchParams();
  const channel = query.get("channel");
  const openid = query.get("openid");
  useEffect(() => {
    nameWindow(m.card.person);
  }, [m]);
  return (
    <main class={styles.page}>
      <h1 class="visually-hidden">{m.card.person}</h1>
      {channel && openid ? (
        <PersonCard channel={channel} openid={openid} hrefOf={cardHref} />
      ) : (
        <EmptyState title={m.card.noPersonTitle}>{m.card.noPersonText}</EmptyState>
      )}
    </main>
  );
}

/** What an embedded card shows until the page around it has handed over a token. */
export function WaitingCard() {
  const m = useMessages();
  return (
    <main class={styles.page}>
      <EmptyState title={m.card.waitingTitle}>{m.card.waitingText}</EmptyState>
    </main>
  );
}
