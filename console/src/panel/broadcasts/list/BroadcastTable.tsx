import { Link } from "wouter-preact";
import type { BroadcastRowFragment } from "../../../api/generated/graphql";
import { formatCount } from "../../../i18n/format";
import { Progress } from "../../../ui/Progress";
import { Table } from "../../../ui/Table";
import { Time } from "../../../ui/Time";
import { useMessages } from "../messages";
import { BroadcastState } from "../parts/BroadcastState";
import { paths } from "../parts/paths";
import { waitWords } from "../parts/words";
import styles from "./BroadcastTable.module.css";

/** Lists broadcasts: what is sent, how far it is, and what it waits for. */
export function BroadcastTable({
  channel,
  rows,
}: {
  channel: string;
  rows: readonly BroadcastRowFragment[];
}) {
  const m = useMessages();
  const words = m.broadcasts.list;
  return (
    <Table
      caption={m.broadcasts.heading}
      rows={rows}
      rowKey={({ id }) => id}
      columns={[
        {
          key: "name",
          header: words.name,
          primary: true,
          cell: (row) => <Name channel={channel} row={row} />,
        },
        { key: "state", header: words.state, cell: (row) => <State row={row} /> },
        { key: "sent", header: words.progress, cell: (row) => <Sent row={row} /> },
        { key: "when", header: words.when, cell: (row) => <When row={row} /> },
      ]}
    />
  );
}

type Row = { row: BroadcastRowFragment };

function Name({ channel, row }: Row & { channel: string }) {
  const m = useMessages();
  const series = row.repeat ? m.broadcasts.list.series : row.repeatOf && m.broadcasts.list.run;
  return (
    <div class={styles.name}>
      <Link href={paths.report(channel, row.id)}>{row.name ?? row.message}</Link>
      <span class={styles.more}>
        {m.broadcasts.list.of(m.broadcasts.kinds[row.kind], row.createdBy)}
        {series && ` · ${series}`}
      </span>
    </div>
  );
}

function State({ row }: Row) {
  const m = useMessages();
  const explained = row.waitingFor && row.waitingFor !== "START_TIME";
  return (
    <div class={styles.state}>
      <BroadcastState state={row.state} />
      {explained && row.waitingFor && <span class={styles.more}>{waitWords(m, row.waitingFor).what}</span>}
    </div>
  );
}

function Sent({ row }: Row) {
  const m = useMessages();
  const words = m.broadcasts.list;
  const chosen = row.planned + row.sent + row.failed + row.uncertain;
  if (row.matched === 0) return <span class={styles.more}>{words.notFrozen}</span>;
  return (
    <Progress
      label={words.progress}
      hideLabel
      value={chosen - row.planned}
      max={chosen}
      detail={words.sentOf(formatCount(row.sent), formatCount(chosen))}
    />
  );
}

function When({ row }: Row) {
  const m = useMessages();
  const words = m.broadcasts.list;
  if (row.finishedAt) return <Moment word={words.endedAt} at={row.finishedAt} />;
  if (row.matched > 0 && row.startedAt) return <Moment word={words.startedAt} at={row.startedAt} />;
  return <Moment word={words.startsAt} at={row.startAt} />;
}

function Moment({ word, at }: { word: string; at: string }) {
  return (
    <span class={styles.when}>
      {word} <Time at={at} />
    </span>
  );
}
