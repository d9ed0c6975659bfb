import type { WebhookFactsFragment } from "../../api/generated/graphql";
import { formatCount, formatList } from "../../i18n/format";
import { ALL_EVENTS } from "./form";
import { useMessages } from "./messages";
import styles from "./Webhooks.module.css";

/** Says in short what an endpoint is told: channels, kinds of events, tags. */
export function Told({ endpoint }: { endpoint: WebhookFactsFragment }) {
  const { webhooks } = useMessages();
  const { channels, events, tags } = endpoint;
  const kinds =
    events.length === ALL_EVENTS.length
      ? webhooks.allEvents
      : webhooks.someEvents(formatCount(events.length), formatCount(ALL_EVENTS.length));
  const about = tags === null ? webhooks.allTags : webhooks.someTags(formatCount(tags.length));
  return (
    <div class={styles.lines}>
      <span>{channels === null ? webhooks.allChannels : formatList(channels.map(({ name }) => name))}</span>
      <span class={styles.muted}>
        {kinds} · {about}
      </span>
    </div>
  );
}
