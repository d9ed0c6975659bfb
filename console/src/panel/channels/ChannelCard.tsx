import { Link } from "wouter-preact";
import type { ChannelCardFragment } from "../../api/generated/graphql";
import { can } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { LinkButton } from "../../ui/Button";
import { Count } from "../../ui/Count";
import { Fact, Facts, Row } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { StateBadge } from "../../ui/StateBadge";
import styles from "./ChannelCard.module.css";
import { closedBy } from "./gate";
import { bindAgain, settingsOf, tagsOf } from "./paths";

/** Shows one channel: what it is, how many people it has, and what it needs. */
export function ChannelCard({ channel, ready }: { channel: ChannelCardFragment; ready: boolean }) {
  const m = useMessages();
  const { kind, appId, name, verified, bound, followerCount, userCount } = channel;
  const closed = closedBy(channel, ready);
  const manages = can("MANAGE_CHANNELS");
  return (
    <article class={styles.card} aria-label={name}>
      <header>
        <h2 class={styles.name}>
          <Link href={tagsOf(channel)}>{name}</Link>
        </h2>
        <p class={styles.kind}>
          {m.common.channelKinds[kind]} · <code>{appId}</code>
        </p>
      </header>
      <Row>
        <StateBadge tone={bound ? "positive" : "negative"} line={bound ? "solid" : "dotted"}>
          {bound ? m.channels.bound : m.channels.unbound}
        </StateBadge>
        <StateBadge tone={verified ? "positive" : "caution"} line={verified ? "solid" : "dashed"}>
          {verified ? m.channels.verified : m.channels.unverified}
        </StateBadge>
      </Row>
      <Facts short>
        {kind !== "MINI_PROGRAM" && (
          <Fact label={m.channels.followers}>
            <Count value={followerCount} />
          </Fact>
        )}
        <Fact label={m.channels.users}>
          <Count value={userCount} />
        </Fact>
      </Facts>
      {(closed === "unbound" || closed === "unverified") && (
        <Reason>
          {m.channels.gate[closed](name)} {manages ? m.channels.gate.manager[closed] : m.channels.gate.other}
        </Reason>
      )}
      <footer class={styles.footer}>
        {closed === null && (
          <LinkButton href={tagsOf(channel)} size="small">
            {m.channels.open}
          </LinkButton>
        )}
        {manages && !bound && (
          <LinkButton href={bindAgain(channel)} size="small">
            {m.channels.gate.bindAgain}
          </LinkButton>
        )}
        {manages && (
          <LinkButton href={settingsOf(channel)} size="small" variant="quiet">
            {m.channels.settings}
          </LinkButton>
        )}
      </footer>
    </article>
  );
}
