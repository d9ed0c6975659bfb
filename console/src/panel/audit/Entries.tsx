import { Link, useSearchParams } from "wouter-preact";
import type { AuditRowFragment } from "../../api/generated/graphql";
import { StateBadge } from "../../ui/StateBadge";
import { Time } from "../../ui/Time";
import styles from "./Audit.module.css";
import { useMessages } from "./messages";
import { detailOf, sentenceOf, textOf } from "./sentence";
import { placeOf } from "./targets";

/** Lists entries of the log, each as a sentence. */
export function Entries({ entries }: { entries: readonly AuditRowFragment[] }) {
  const m = useMessages();
  return (
    <ol class={styles.entries} aria-label={m.audit.list}>
      {entries.map((entry) => (
        <li key={entry.id} class={styles.entry}>
          <Entry entry={entry} />
        </li>
      ))}
    </ol>
  );
}

function Entry({ entry }: { entry: AuditRowFragment }) {
  const m = useMessages();
  const [search] = useSearchParams();
  const details = new URLSearchParams(search);
  details.set("entry", entry.id);
  const place = entry.target && placeOf(entry.target, m);
  const detail = detailOf(entry, m);
  return (
    <>
      <p class={styles.sentence}>
        <SentenceLine entry={entry} />
        {entry.outcome !== "DONE" && (
          <StateBadge tone={entry.outcome === "DENIED" ? "caution" : "negative"} line="dotted">
            {m.audit.outcomes[entry.outcome]}
          </StateBadge>
        )}
      </p>
      <p class={styles.meta}>
        <Time at={entry.at} absolute />
        <span>{m.common.roles[entry.role]}</span>
        {originOf(entry, m.audit) && <span>{originOf(entry, m.audit)}</span>}
        <span>{entry.number === null ? m.audit.notSealed : m.audit.sealedAs(entry.number)}</span>
        {detail && <span>{detail}</span>}
        {place?.href && <Link href={place.href}>{place.name}</Link>}
        <Link href={`/audit?${details}`} aria-label={m.audit.detailsOf(textOf(sentenceOf(entry, m)))}>
          {m.audit.details}
        </Link>
      </p>
    </>
  );
}

/** Shows an entry as a sentence, with a link to what it was done to. */
export function SentenceLine({ entry }: { entry: AuditRowFragment }) {
  const { subject, did, object, rest } = sentenceOf(entry, useMessages());
  return (
    <span>
      <strong>{subject}</strong> {did}{" "}
      {object?.href ? <Link href={object.href}>{object.name}</Link> : object?.name}
      {rest}
    </span>
  );
}

type Words = ReturnType<typeof useMessages>["audit"];

/** Returns from where it was done: the address of the client, or the command; null where nobody knows. */
export function originOf({ clientAddress, requestId, subject }: AuditRowFragment, m: Words): string | null {
  if (clientAddress !== null) return m.fromAddress(clientAddress);
  return subject === "operator" && requestId ? m.byCommand(requestId) : null;
}
