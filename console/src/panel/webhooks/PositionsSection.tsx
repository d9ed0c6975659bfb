import { useState } from "preact/hooks";
import type { WebhookDetailsFragment } from "../../api/generated/graphql";
import { Button } from "../../ui/Button";
import { Copy } from "../../ui/Copy";
import { EmptyState } from "../../ui/EmptyState";
import { UndoIcon } from "../../ui/icons";
import { Problem } from "../../ui/Problem";
import { Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { useMessages } from "./messages";
import { ReplayDialog } from "./ReplayDialog";
import { lagText } from "./states";

/** Shows how far an endpoint has been told of each channel, and lets it be told again. */
export function PositionsSection({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const m = useMessages();
  const { webhooks } = m;
  const { positionColumns: columns } = webhooks;
  const [replaying, setReplaying] = useState(false);
  const { positions } = endpoint;
  return (
    <Section
      title={webhooks.positions}
      description={webhooks.positionsHint}
      actions={
        positions.length > 0 && (
          <Button icon={<UndoIcon />} onClick={() => setReplaying(true)}>
            {webhooks.replay}
          </Button>
        )
      }
    >
      {positions.some(({ missed }) => missed) && (
        <Problem tone="caution" title={webhooks.missed}>
          {webhooks.missedHint}
        </Problem>
      )}
      {positions.length === 0 ? (
        <EmptyState title={webhooks.noPositions} />
      ) : (
        <Table
          caption={webhooks.positions}
          rows={positions}
          rowKey={({ channel }) => channel.id}
          columns={[
            { key: "channel", header: columns.channel, primary: true, cell: ({ channel }) => channel.name },
            { key: "at", header: columns.at, cell: ({ at }) => <Time at={at} /> },
            { key: "lag", header: columns.lag, cell: ({ lag }) => lagText(lag, m) },
            {
              key: "missed",
              header: columns.missed,
              cell: ({ missed }) => (
                <StateBadge tone={missed ? "caution" : "positive"} line={missed ? "dotted" : "solid"}>
                  {missed ? webhooks.missed : webhooks.complete}
                </StateBadge>
              ),
            },
            {
              key: "cursor",
              header: columns.cursor,
              cell: ({ cursor }) => (
                <Copy text={cursor} label={webhooks.copyCursor} copiedLabel={m.common.copied} />
              ),
            },
          ]}
        />
      )}
      {replaying && <ReplayDialog endpoint={endpoint} onClose={() => setReplaying(false)} />}
    </Section>
  );
}
