import { Link } from "wouter-preact";
import { type AuditEntryQuery, AuditNamesDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { formatCount, formatInstant } from "../../i18n/format";
import { Section } from "../../ui/Section";
import { Table } from "../../ui/Table";
import styles from "./Audit.module.css";
import { changesOf, idsIn, type Value } from "./changes";
import { type Messages, useMessages } from "./messages";
import { kindOfId, placeOf, type Spoken, spokenOf } from "./targets";

type Entry = Extract<NonNullable<AuditEntryQuery["node"]>, { __typename: "AuditEntry" }>;
type Names = ReadonlyMap<string, Spoken>;

/** So many ids are named; `nodes` takes no more. */
const NAMED = 100;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const HASH = /"[a-z]+:[0-9a-f]{32}"/;

/** Shows what an act changed, as it was and as it is since side by side. */
export function Changes({ entry }: { entry: Entry }) {
  const m = useMessages();
  const changes = changesOf(entry.before, entry.after);
  const names = useNames(idsIn(changes, (text) => kindOfId(text) !== null));
  const { columns, keys } = m.audit;
  if (changes.length === 0) {
    return (
      <Section title={m.audit.changes} level={3}>
        <p>{entry.outcome === "DONE" ? m.audit.noChanges : m.audit.refusedChanges}</p>
      </Section>
    );
  }
  const hidden = HASH.test(`${entry.before} ${entry.after}`);
  return (
    <Section title={m.audit.changes} level={3} description={hidden && m.audit.hashes}>
      <Table
        caption={m.audit.changes}
        rows={changes}
        rowKey={({ key }) => key}
        columns={[
          { key: "what", header: columns.what, primary: true, cell: ({ key }) => keys[key] ?? key },
          {
            key: "before",
            header: columns.before,
            cell: ({ before }) => <Shown value={before} names={names} m={m} />,
          },
          {
            key: "after",
            header: columns.after,
            cell: ({ after }) => <Shown value={after} names={names} m={m} />,
          },
        ]}
      />
    </Section>
  );
}

/** Names what is spoken of by its id, as far as it is still there. */
function useNames(ids: readonly string[]): Names {
  const m = useMessages();
  const asked = ids.slice(0, NAMED);
  const { data } = useQuery(AuditNamesDocument, { ids: asked }, { pause: asked.length === 0 });
  const found = (data?.nodes ?? []).flatMap((node) => {
    const spoken = node && (spokenOf(node, m) ?? placeOf(node, m));
    return spoken ? [[node.id, spoken] as const] : [];
  });
  return new Map(found);
}

type ShownProps = { value: Value | undefined; names: Names; m: Messages };

/** Shows a value: lists one below the other, parts of an object with their names. */
function Shown({ value, names, m }: ShownProps) {
  if (value === undefined || value === null || value === "") return <>{m.audit.nothing}</>;
  if (typeof value === "boolean") return <>{value ? m.audit.yes : m.audit.no}</>;
  if (typeof value === "number") return <>{formatCount(value)}</>;
  if (typeof value === "string") return <Text text={value} names={names} />;
  const parts = Array.isArray(value)
    ? (value as readonly Value[]).map((part, at) => [String(at), null, part] as const)
    : Object.entries(value).map(([key, part]) => [key, m.audit.keys[key] ?? key, part as Value] as const);
  if (parts.length === 0) return <>{m.audit.nothing}</>;
  return (
    <ul class={styles.parts}>
      {parts.map(([key, label, part]) => (
        <li key={key}>
          {label && `${label}: `}
          <Shown value={part} names={names} m={m} />
        </li>
      ))}
    </ul>
  );
}

function Text({ text, names }: { text: string; names: Names }) {
  const spoken = names.get(text);
  if (spoken?.href) return <Link href={spoken.href}>{spoken.name}</Link>;
  if (spoken) return <>{spoken.name}</>;
  return <span class={styles.value}>{INSTANT.test(text) ? formatInstant(text) : text}</span>;
}
