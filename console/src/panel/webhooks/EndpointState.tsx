import type { WebhookFactsFragment } from "../../api/generated/graphql";
import { StateBadge } from "../../ui/StateBadge";
import { useMessages } from "./messages";
import { LOOKS } from "./states";
import styles from "./Webhooks.module.css";

/** Shows the state of an endpoint, with the reason where it is not well. */
export function EndpointState({ endpoint }: { endpoint: WebhookFactsFragment }) {
  const { webhooks } = useMessages();
  const { state, reason } = endpoint;
  return (
    <div class={styles.lines}>
      <StateBadge {...LOOKS[state]}>{webhooks.states[state]}</StateBadge>
      {reason && <span class={styles.muted}>{reason}</span>}
    </div>
  );
}
