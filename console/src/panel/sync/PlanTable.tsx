import type { SyncRunFragment } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { StateBadge, type Tone } from "../../ui/StateBadge";
import { type Column, Table } from "../../ui/Table";
import { TagChip } from "../../ui/TagChip";
import { paths } from "../tags/paths";
import { type Numbers, type SyncTagPlan, sumOf } from "./review";
import styles from "./Sync.module.css";

const TONES: Record<string, Tone> = {
  CREATE: "informative",
  ADOPT: "caution",
  RENAME: "informative",
  UPDATE: "informative",
  NOTHING: "neutral",
  REFUSED: "negative",
};

type Line = Numbers & { readonly key: string; readonly plan: SyncTagPlan | null };

/** Shows what a sync does about each tag, and what it has done so far; the last row adds it up. */
export function PlanTable({ sync, channel }: { sync: SyncRunFragment; channel: string }) {
  const m = useMessages();
  const { columns } = m.sync;
  const number = (key: keyof Numbers): Column<Line> => ({
    key,
    header: columns[key],
    align: "end",
    cell: (line) => formatCount(line[key]),
  });
  const lines: Line[] = sync.tags.map((plan) => ({ ...plan, key: plan.tag.id, plan }));
  if (lines.length > 1) lines.push({ ...sumOf(sync.tags), key: "sum", plan: null });
  const numbers: (keyof Numbers)[] = ["toAdd", "toRemove", "unchanged", "atTagLimit", "drift"];
  if (!sync.dryRun) numbers.push("added", "removed", "failed");
  return (
    <Table
      caption={m.sync.tags}
      rows={lines}
      rowKey={({ key }) => key}
      columns={[
        {
          key: "tag",
          header: columns.tag,
          primary: true,
          cell: ({ plan }) => (plan ? <TagCell plan={plan} channel={channel} /> : m.sync.sum),
        },
        {
          key: "action",
          header: columns.action,
          cell: ({ plan }) => plan && <ActionCell plan={plan} />,
        },
        ...numbers.map(number),
      ]}
    />
  );
}

function TagCell({ plan, channel }: { plan: SyncTagPlan; channel: string }) {
  const m = useMessages();
  const { tag, remoteName } = plan;
  return (
    <>
      <TagChip
        kind={tag.kind}
        kindLabel={m.common.kinds[tag.kind]}
        state={tag.deletedAt ? "LAPSED" : tag.state}
        name={tag.name}
        href={paths.tag(channel, tag.id)}
      />
      {remoteName !== tag.name && <p class={styles.muted}>{`${m.sync.columns.remoteName}: ${remoteName}`}</p>}
    </>
  );
}

function ActionCell({ plan }: { plan: SyncTagPlan }) {
  const m = useMessages();
  return (
    <>
      <StateBadge tone={TONES[plan.action] ?? "neutral"}>{m.sync.actions[plan.action]}</StateBadge>
      {plan.error && <p class={styles.muted}>{plan.error}</p>}
      {plan.errcode !== null && <p class={styles.muted}>{m.problems.errcode(plan.errcode)}</p>}
    </>
  );
}
