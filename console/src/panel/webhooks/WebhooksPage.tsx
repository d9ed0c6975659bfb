import { Link } from "wouter-preact";
import { WebhookEndpointsDocument, type WebhookFactsFragment } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { can } from "../../app/viewer";
import { LinkButton } from "../../ui/Button";
import { EmptyState } from "../../ui/EmptyState";
import { PlusIcon, WebhookIcon } from "../../ui/icons";
import { Stack } from "../../ui/Layout";
import { Reason } from "../../ui/Reason";
import { PageHeader } from "../../ui/Section";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { EndpointState } from "./EndpointState";
import { useMessages } from "./messages";
import { isNarrowed } from "./narrowed";
import { paths } from "./paths";
import { lagText } from "./states";
import { Told } from "./Told";
import { useAskingAgain } from "./useAskingAgain";
import styles from "./Webhooks.module.css";

const OFTEN = 5_000;
/** As many endpoints as a robot may have. */
const MOST = 20;

/** Lists who is told of changes, and how each fares. */
export default function WebhooksPage() {
  const { webhooks } = useMessages();
  const allowed = can("MANAGE_WEBHOOKS");
  const asked = useQuery(WebhookEndpointsDocument, {}, { pause: !allowed });
  useAskingAgain(asked.again, allowed ? OFTEN : null);
  const endpoints = asked.data?.webhookEndpoints;
  return (
    <Stack gap={4}>
      <PageHeader
        title={webhooks.heading}
        description={webhooks.intro}
        actions={allowed && endpoints && endpoints.length > 0 && <Make count={endpoints.length} />}
      />
      {!allowed && <Reason>{webhooks.notYours}</Reason>}
      {isNarrowed() && <Reason>{webhooks.narrowed}</Reason>}
      {allowed && (
        <Answer asked={asked}>
          {({ webhookEndpoints: found }) =>
            found && found.length > 0 ? <EndpointTable endpoints={found} /> : <None />
          }
        </Answer>
      )}
    </Stack>
  );
}

function Make({ count }: { count: number }) {
  const { webhooks } = useMessages();
  if (count >= MOST) return <Reason>{webhooks.full}</Reason>;
  return (
    <LinkButton variant="primary" icon={<PlusIcon />} href={paths.make()}>
      {webhooks.make}
    </LinkButton>
  );
}

function None() {
  const { webhooks } = useMessages();
  return (
    <EmptyState title={webhooks.none} icon={<WebhookIcon size={24} />} action={<Make count={0} />}>
      {webhooks.noneHint}
    </EmptyState>
  );
}

function EndpointTable({ endpoints }: { endpoints: readonly WebhookFactsFragment[] }) {
  const m = useMessages();
  const { columns, heading, never } = m.webhooks;
  return (
    <Table
      caption={heading}
      rows={endpoints}
      rowKey={({ id }) => id}
      columns={[
        {
          key: "address",
          header: columns.address,
          primary: true,
          cell: ({ id, url, description }) => (
            <div class={styles.lines}>
              <Link href={paths.endpoint(id)} class={styles.address}>
                {url}
              </Link>
              {description && <span class={styles.muted}>{description}</span>}
            </div>
          ),
        },
        { key: "state", header: columns.state, cell: (each) => <EndpointState endpoint={each} /> },
        { key: "lag", header: columns.lag, cell: ({ lag }) => lagText(lag, m) },
        {
          key: "success",
          header: columns.success,
          cell: ({ lastSuccessAt: at }) => (at === null ? never : <Time at={at} />),
        },
        { key: "told", header: columns.told, cell: (each) => <Told endpoint={each} /> },
      ]}
    />
  );
}
