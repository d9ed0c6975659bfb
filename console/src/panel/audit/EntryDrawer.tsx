import { Link } from "wouter-preact";
import { AuditEntryDocument, type AuditEntryQuery } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { Answer } from "../../app/Answer";
import { formatInstant } from "../../i18n/format";
import { Copy } from "../../ui/Copy";
import { Drawer } from "../../ui/Dialog";
import { EmptyState } from "../../ui/EmptyState";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { Changes } from "./Changes";
import { originOf, SentenceLine } from "./Entries";
import { useMessages } from "./messages";
import { auditPath } from "./paths";
import { detailOf } from "./sentence";

type Entry = Extract<NonNullable<AuditEntryQuery["node"]>, { __typename: "AuditEntry" }>;

/** Shows all that is known of one entry beside the list. */
export function EntryDrawer({ id, onClose }: { id: string; onClose: () => void }) {
  const m = useMessages();
  // What is not sealed yet may be by now.
  const asked = useQuery(AuditEntryDocument, { id }, { policy: "cache-and-network" });
  const gone = asked.problem?.code === "NOT_FOUND" || asked.problem?.code === "BAD_USER_INPUT";
  return (
    <Drawer open size="wide" title={m.audit.entry} closeLabel={m.common.close} onClose={onClose}>
      {gone ? (
        <EmptyState title={m.audit.entryGone}>{m.audit.entryGoneHint}</EmptyState>
      ) : (
        <Answer asked={asked}>
          {({ node }) =>
            node?.__typename === "AuditEntry" ? (
              <Shown entry={node} />
            ) : (
              <EmptyState title={m.audit.entryGone}>{m.audit.entryGoneHint}</EmptyState>
            )
          }
        </Answer>
      )}
    </Drawer>
  );
}

function Shown({ entry }: { entry: Entry }) {
  const m = useMessages();
  const detail = detailOf(entry, m);
  return (
    <Stack gap={5}>
      <Stack gap={2}>
        <p>
          <SentenceLine entry={entry} />
        </p>
        {detail && <p>{detail}</p>}
        <Row gap={4}>
          {entry.targetId && <Link href={auditPath(entry.targetId)}>{m.audit.everythingAbout}</Link>}
          <Link href={`/audit?subject=${encodeURIComponent(entry.subject)}`}>
            {m.audit.everythingBy(entry.subject)}
          </Link>
        </Row>
      </Stack>
      <Facts>
        <Fact label={entry.count > 1 ? m.audit.firstOf : m.audit.when}>{formatInstant(entry.at)}</Fact>
        <Fact label={m.audit.who}>
          {entry.subject} · {m.common.roles[entry.role]}
        </Fact>
        <Fact label={m.audit.where}>{originOf(entry, m.audit) ?? m.audit.unknown}</Fact>
        <Fact label={m.audit.outcome}>{m.audit.outcomes[entry.outcome]}</Fact>
        {entry.errorCode && <Fact label={m.audit.code}>{entry.errorCode}</Fact>}
        {entry.requestId && (
          <Fact label={m.audit.request} wide>
            <Copy text={entry.requestId} label={m.audit.copyRequest} copiedLabel={m.common.copied} show />
          </Fact>
        )}
      </Facts>
      <Changes entry={entry} />
      <Seal entry={entry} />
    </Stack>
  );
}

/** Says whether an entry is sealed, and what that means. */
function Seal({ entry }: { entry: Entry }) {
  const m = useMessages().audit;
  const copied = useMessages().common.copied;
  if (entry.number === null || entry.hash === null) {
    return (
      <Section title={m.seal} level={3}>
        <p>{m.notSealedMeans}</p>
      </Section>
    );
  }
  return (
    <Section title={m.seal} level={3}>
      <Facts>
        <Fact label={m.number}>{entry.number}</Fact>
        <Fact label={m.hash} wide>
          <Copy text={entry.hash} label={m.copyHash} copiedLabel={copied} show />
        </Fact>
      </Facts>
      <p>
        {m.sealedMeans} {m.keepHash}
      </p>
    </Section>
  );
}
