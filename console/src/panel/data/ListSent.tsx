import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import { ReceiptTagDocument, UndoReturnBatchDocument } from "../../api/generated/graphql";
import { useMutation, useQuery } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { formatCount } from "../../i18n/format";
import { useMessages } from "../../i18n/messages";
import { Button, LinkButton } from "../../ui/Button";
import { Count } from "../../ui/Count";
import { UndoIcon } from "../../ui/icons";
import { Fact, Facts, Row, Stack } from "../../ui/Layout";
import { Section } from "../../ui/Section";
import { StateBadge } from "../../ui/StateBadge";
import { paths } from "../tags/paths";
import { Counts } from "./Counts";
import { RejectsFile } from "./RejectsFile";
import type { Sent } from "./useSending";

type TagShown = NonNullable<ReturnType<typeof useTagOf>>;

/** Shows what became of a list: its tag, live, and its numbers, with the entries that were not taken. */
export function ListSent({ sent, onAnother }: { sent: Sent; onAnother: () => void }) {
  const m = useMessages();
  const tag = useTagOf(sent);
  const replayed = sent.origin === "paste" ? sent.answer.replayed : sent.outcome.summary.replayed > 0;
  return (
    <Section title={m.data.sent} card>
      <Stack gap={4}>
        {replayed && <p>{m.data.replayed}</p>}
        {tag && <Tag tag={tag} />}
        {sent.origin === "paste" ? <Pasted sent={sent} /> : <Uploaded sent={sent} />}
        <Row>
          {tag && (
            <LinkButton variant="primary" href={paths.tag(tag.channel.id, tag.id)}>
              {m.data.openTag}
            </LinkButton>
          )}
          <Button onClick={onAnother}>{m.data.another}</Button>
        </Row>
      </Stack>
    </Section>
  );
}

function useTagOf(sent: Sent) {
  const receipt = sent.origin === "paste" ? sent.answer.receipt.id : sent.outcome.lastReceipt;
  const { data } = useQuery(ReceiptTagDocument, { receipt: receipt ?? "" }, { pause: receipt === null });
  return data?.node?.__typename === "ReturnReceipt" ? data.node.tag : null;
}

function Tag({ tag }: { tag: TagShown }) {
  const m = useMessages();
  return (
    <Facts>
      <Fact label={m.tags.columns.tag}>
        <Link href={paths.tag(tag.channel.id, tag.id)}>{`${tag.category} / ${tag.name}`}</Link>
      </Fact>
      <Fact label={m.tags.state}>
        <StateBadge state={tag.state}>{m.common.states[tag.state]}</StateBadge>
      </Fact>
      <Fact label={m.tags.facts.people}>
        <Count value={tag.memberCount} />
      </Fact>
    </Facts>
  );
}

function Pasted({ sent }: { sent: Extract<Sent, { origin: "paste" }> }) {
  const { receipt } = sent.answer;
  const counts = {
    ...receipt,
    rejected: receipt.rejectedPage.totalCount,
    unmatched: receipt.unmatchedPage.totalCount,
  };
  return (
    <>
      <Counts counts={counts} />
      {receipt.mode === "ADD" && <UndoSent receipt={receipt.id} />}
    </>
  );
}

function Uploaded({ sent }: { sent: Extract<Sent, { origin: "file" }> }) {
  const { summary, rejects } = sent.outcome;
  return (
    <>
      <Counts counts={summary} />
      {rejects && <RejectsFile file={rejects} total={summary.rejected + summary.unmatched} />}
    </>
  );
}

/** Takes back what was just sent, without asking: the list can be sent again. */
function UndoSent({ receipt }: { receipt: string }) {
  const m = useMessages();
  const [done, setDone] = useState<string | null>(null);
  const { run, busy, problem } = useMutation(UndoReturnBatchDocument);
  const undo = async () => {
    const { data } = await run({ receipt });
    const answer = data?.undoReturnBatch;
    if (answer) setDone(m.data.undoDone(formatCount(answer.removed), formatCount(answer.kept)));
  };
  return (
    <div role="status">
      <ApiProblem problem={problem} />
      {done ?? (
        <Button icon={<UndoIcon size={14} />} busy={busy} onClick={undo}>
          {m.data.undoShort}
        </Button>
      )}
    </div>
  );
}
