import type { WebhookDeliveryRowFragment, WebhookDetailsFragment } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { Copy } from "../../ui/Copy";
import { Drawer } from "../../ui/Dialog";
import { EmptyState } from "../../ui/EmptyState";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Reason } from "../../ui/Reason";
import { Time } from "../../ui/Time";
import { DeliveryBadge } from "./DeliveriesSection";
import { useMessages } from "./messages";
import { whyFailed } from "./Outcome";
import { Resend } from "./Resend";
import { isTold, stateOfDelivery } from "./states";
import { useDelivery } from "./useDelivery";
import styles from "./Webhooks.module.css";

interface DeliveryDrawerProps {
  readonly id: string;
  readonly endpoint: WebhookDetailsFragment;
  readonly onClose: () => void;
}

/** Shows all that is known of one delivery, and follows it while attempts are to come. */
export function DeliveryDrawer({ id, endpoint, onClose }: DeliveryDrawerProps) {
  const m = useMessages();
  const { webhooks } = m;
  const { delivery, isGone } = useDelivery(id);
  return (
    <Drawer open title={webhooks.delivery} closeLabel={m.common.close} onClose={onClose}>
      {isGone && <EmptyState title={webhooks.deliveryGone} />}
      {!delivery && !isGone && <Loading label={m.common.loading} />}
      {delivery && <Delivery delivery={delivery} endpoint={endpoint} />}
    </Drawer>
  );
}

function Delivery({ delivery, endpoint }: Omit<DeliveryDrawerProps, "id" | "onClose"> & DeliveryProps) {
  const { webhooks } = useMessages();
  const { answer, status, error } = delivery;
  const isOff = !isTold(endpoint.state);
  return (
    <Stack gap={4}>
      <Row>
        <DeliveryBadge delivery={delivery} />
        {stateOfDelivery(delivery) === "GIVEN_UP" && <span>{webhooks.givenUpHint}</span>}
      </Row>
      {error !== null && <p>{whyFailed(status, error, webhooks)}</p>}
      <DeliveryFacts delivery={delivery} />
      {answer && (
        <div>
          <h3>{webhooks.answer}</h3>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
          <pre class={styles.quoted} tabIndex={0}>
            {answer}
          </pre>
        </div>
      )}
      {isOff && <Reason>{endpoint.state === "OFF" ? webhooks.testOff : webhooks.testGone}</Reason>}
      <div>
        <Resend delivery={delivery} endpoint={endpoint} />
      </div>
      {!isOff && delivery.nextAttemptAt === null && <p class={styles.muted}>{webhooks.resendHint}</p>}
    </Stack>
  );
}

interface DeliveryProps {
  readonly delivery: WebhookDeliveryRowFragment;
}

function DeliveryFacts({ delivery }: DeliveryProps) {
  const m = useMessages();
  const { webhooks } = m;
  const { messageId, kind, at, events, attempts, status, nextAttemptAt, deliveredAt, channel } = delivery;
  return (
    <Facts>
      <Fact label={webhooks.messageId} wide>
        <Copy text={messageId} label={webhooks.copyMessageId} copiedLabel={m.common.copied} show />
      </Fact>
      <Fact label={webhooks.deliveryColumns.when}>
        <Time at={at} absolute />
      </Fact>
      <Fact label={webhooks.deliveryColumns.channel}>{channel.name}</Fact>
      <Fact label={webhooks.deliveryColumns.holds}>
        {webhooks.kinds[kind]} · {webhooks.eventCount(formatCount(events))}
      </Fact>
      <Fact label={webhooks.status}>{status ?? webhooks.noAnswer}</Fact>
      <Fact label={webhooks.attempts}>{formatCount(attempts)}</Fact>
      <Fact label={webhooks.next}>
        {nextAttemptAt === null ? webhooks.nextNone : <Time at={nextAttemptAt} />}
      </Fact>
      <Fact label={webhooks.takenAt}>
        {deliveredAt === null ? webhooks.never : <Time at={deliveredAt} absolute />}
      </Fact>
    </Facts>
  );
}
