import type { ReceiptRowFragment } from "../../api/generated/graphql";
import { formatCount, formatInstant } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button } from "../../ui/Button";
import { now } from "../../ui/clock";
import { StateBadge, type Tone } from "../../ui/StateBadge";
import { Table } from "../../ui/Table";
import { Time } from "../../ui/Time";
import { type ReceiptState, stateOf } from "./receiptStates";

const LOOKS: Record<ReceiptState, { tone: Tone; line: "solid" | "dotted" | "dashed" }> = {
  inForce: { tone: "positive", line: "solid" },
  ended: { tone: "neutral", line: "dotted" },
  undone: { tone: "caution", line: "dashed" },
};

type ReceiptsTableProps = { receipts: readonly ReceiptRowFragment[]; onLook: (receipt: string) => void };

/** Lists receipts with what each list did. */
export function ReceiptsTable({ receipts, onLook }: ReceiptsTableProps) {
  const m = useMessages();
  const { counts } = m.data;
  return (
    <Table
      caption={m.data.receipts}
      rows={receipts}
      rowKey={({ id }) => id}
      columns={[
        { key: "when", header: m.data.when, primary: true, cell: ({ at }) => <Time at={at} /> },
        { key: "mode", header: m.data.mode, cell: ({ mode }) => m.data.modes[mode] },
        { key: "source", header: m.data.source, cell: (receipt) => <Source receipt={receipt} /> },
        { key: "added", header: counts.added, align: "end", cell: ({ added }) => formatCount(added) },
        { key: "removed", header: counts.removed, align: "end", cell: ({ removed }) => formatCount(removed) },
        {
          key: "unchanged",
          header: counts.unchanged,
          align: "end",
          cell: ({ unchanged }) => formatCount(unchanged),
        },
        {
          key: "rejected",
          header: counts.rejected,
          align: "end",
          cell: ({ rejectedPage }) => formatCount(rejectedPage.totalCount),
        },
        {
          key: "unmatched",
          header: counts.unmatched,
          align: "end",
          cell: ({ unmatchedPage }) => formatCount(unmatchedPage.totalCount),
        },
        { key: "state", header: m.data.state, cell: (receipt) => <State receipt={receipt} /> },
        {
          key: "details",
          header: m.data.details,
          hideHeader: true,
          narrow: true,
          cell: ({ id, at }) => (
            <Button size="small" onClick={() => onLook(id)}>
              {m.data.details}
              <span class="visually-hidden"> {m.data.detailsOf(formatInstant(at))}</span>
            </Button>
          ),
        },
      ]}
    />
  );
}

function Source({ receipt: { source, subject } }: { receipt: ReceiptRowFragment }) {
  const m = useMessages();
  return (
    <>
      {m.data.sources[source]}
      {subject !== null && `, ${m.data.by(subject)}`}
    </>
  );
}

/** Says what has become of a list, and when it ends. */
export function State({ receipt }: { receipt: ReceiptRowFragment }) {
  const m = useMessages();
  const state = stateOf(receipt, now.value);
  return (
    <>
      <StateBadge {...LOOKS[state]}>{m.data[state]}</StateBadge>
      {state === "inForce" && receipt.expiresAt !== null && (
        <>
          {" "}
          {m.data.ends} <Time at={receipt.expiresAt} />
        </>
      )}
    </>
  );
}
