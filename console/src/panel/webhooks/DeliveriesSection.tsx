import { useCallback } from "preact/hooks";
import { Link, useLocation, useSearchParams } from "wouter-preact";
import {
  WebhookDeliveriesDocument,
  type WebhookDeliveryRowFragment,
  type WebhookDetailsFragment,
} from "../../api/generated/graphql";
import { ApiProblem } from "../../app/ApiProblem";
import { MoreButton } from "../../app/MoreButton";
import { usePages } from "../../app/usePages";
import { formatCount } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { Row } from "../../ui/Layout";
import { Loading } from "../../ui/Loading";
import { Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { DeliveryDrawer } from "./DeliveryDrawer";
import { useMessages } from "./messages";
import { paths } from "./paths";
import { Resend } from "./Resend";
import { DELIVERY_LOOKS, stateOfDelivery } from "./states";
import { useAskingAgain } from "./useAskingAgain";
import styles from "./Webhooks.module.css";

const OFTEN = 5_000;
const PAGE = 20;

/** Lists what an endpoint was sent, newest first, and opens one by `?delivery=`. */
export function DeliveriesSection({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const { nodes, more, busy, problem, again } = usePages(
    WebhookDeliveriesDocument,
    { id: endpoint.id },
    ({ node }) => (node?.__typename === "WebhookEndpoint" ? node.deliveries : null),
  );
  // Whoever has gone on to older ones is not taken back.
  const isFirst = nodes !== undefined && nodes.length <= PAGE;
  useAskingAgain(again, isFirst ? OFTEN : null);
  const [query] = useSearchParams();
  const [, navigate] = useLocation();
  const close = useCallback(
    () => navigate(paths.endpoint(endpoint.id), { replace: true }),
    [navigate, endpoint.id],
  );
  const opened = query.get("delivery");
  return (
    <Section
      title={webhooks.deliveries}
      description={webhooks.deliveriesHint}
      actions={
        nodes &&
        !isFirst && (
          <Button size="small" onClick={again}>
            {webhooks.newest}
          </Button>
        )
      }
    >
      <ApiProblem problem={problem} again={again} />
      {!nodes && !problem && <Loading label={m.common.loading} />}
      {nodes?.length === 0 && (
        <EmptyState title={webhooks.noDeliveries}>{webhooks.noDeliveriesHint}</EmptyState>
      )}
      {nodes && nodes.length > 0 && <DeliveryTable deliveries={nodes} endpoint={endpoint} />}
      <MoreButton more={more} busy={busy && !isFirst} />
      {opened !== null && <DeliveryDrawer key={opened} id={opened} endpoint={endpoint} onClose={close} />}
    </Section>
  );
}

interface DeliveryTableProps {
  readonly deliveries: readonly WebhookDeliveryRowFragment[];
  readonly endpoint: WebhookDetailsFragment;
}

function DeliveryTable({ deliveries, endpoint }: DeliveryTableProps) {
  const { webhooks } = useMessages();
  const { deliveryColumns: columns } = webhooks;
  return (
    <Table
      caption={webhooks.deliveries}
      rows={deliveries}
      rowKey={({ id }) => id}
      columns={[
        {
          key: "when",
          header: columns.when,
          primary: true,
          cell: ({ id, at }) => (
            <Link href={paths.delivery(endpoint.id, id)} replace>
              <Time at={at} />
            </Link>
          ),
        },
        { key: "state", header: columns.state, cell: (each) => <DeliveryBadge delivery={each} /> },
        { key: "holds", header: columns.holds, cell: (each) => <Holds delivery={each} /> },
        { key: "channel", header: columns.channel, cell: ({ channel }) => channel.name },
        { key: "outcome", header: columns.outcome, cell: (each) => <LastAnswer delivery={each} /> },
        { key: "attempts", header: columns.attempts, cell: (each) => <Attempts delivery={each} /> },
        {
          key: "actions",
          header: columns.actions,
          hideHeader: true,
          narrow: true,
          cell: (each) => <Resend delivery={each} endpoint={endpoint} />,
        },
      ]}
    />
  );
}

/** Shows what became of a delivery so far. */
export function DeliveryBadge({ delivery }: { delivery: WebhookDeliveryRowFragment }) {
  const { webhooks } = useMessages();
  const state = stateOfDelivery(delivery);
  return <StateBadge {...DELIVERY_LOOKS[state]}>{webhooks.deliveryStates[state]}</StateBadge>;
}

function Holds({ delivery: { kind, events } }: { delivery: WebhookDeliveryRowFragment }) {
  const { webhooks } = useMessages();
  return <>{kind === "CHANGES" ? webhooks.eventCount(formatCount(events)) : webhooks.kinds[kind]}</>;
}

function LastAnswer({ delivery: { status, error } }: { delivery: WebhookDeliveryRowFragment }) {
  const { webhooks } = useMessages();
  if (status === null && error === null) return <>{webhooks.noAnswer}</>;
  return (
    <Row>
      {status !== null && <span>{status}</span>}
      {error !== null && <span class={styles.muted}>{webhooks.shortErrors[error]}</span>}
    </Row>
  );
}

function Attempts({ delivery }: { delivery: WebhookDeliveryRowFragment }) {
  const { webhooks } = useMessages();
  const { attempts, nextAttemptAt } = delivery;
  return (
    <div class={styles.lines}>
      <span>{formatCount(attempts)}</span>
      {nextAttemptAt !== null && attempts > 0 && (
        <span class={styles.muted}>
          {webhooks.next} <Time at={nextAttemptAt} />
        </span>
      )}
    </div>
  );
}
