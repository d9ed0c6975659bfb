import { useState } from "preact/hooks";
import { Link } from "wouter-preact";
import {
  PolicyOfBroadcastsDocument,
  type RulesOfBroadcastsFragment,
  SetBroadcastPolicyDocument,
} from "../../../api/generated/graphql";
import { useMutation, useQuery } from "../../../api/hooks";
import { Answer } from "../../../app/Answer";
import { ApiProblem } from "../../../app/ApiProblem";
import { can } from "../../../app/viewer";
import { Button } from "../../../ui/Button";
import { Row, Stack } from "../../../ui/Layout";
import { PageHeader } from "../../../ui/Section";
import { showToast } from "../../../ui/toast";
import { useMessages } from "../messages";
import { paths } from "../parts/paths";
import { useFieldErrors } from "../parts/useFieldErrors";
import { PolicyFields } from "./PolicyFields";
import styles from "./PolicyPage.module.css";
import { changesOf, formOf, loosensApproval, type PolicyForm } from "./policyForm";

export default function PolicyPage({ params }: { params: Record<string, string> }) {
  const m = useMessages();
  const channel = params.channel ?? "";
  const asked = useQuery(PolicyOfBroadcastsDocument, { channel });
  const above = can("BROADCAST") ? (
    <>
      <Link href={paths.list(channel)}>{m.broadcasts.heading}</Link> · {asked.data?.channel?.name}
    </>
  ) : (
    asked.data?.channel?.name
  );
  return (
    <Stack gap={5}>
      <PageHeader above={above} title={m.broadcasts.policy.heading} description={m.broadcasts.policy.hint} />
      <Answer asked={asked}>
        {(data) => data.channel && <Form channel={channel} rules={data.channel.broadcastPolicy} />}
      </Answer>
    </Stack>
  );
}

function Form({ channel, rules }: { channel: string; rules: RulesOfBroadcastsFragment }) {
  const m = useMessages();
  const words = m.broadcasts.policy;
  const before = formOf(rules);
  const [typed, setTyped] = useState<Partial<PolicyForm>>({});
  const form = { ...before, ...typed };
  const { run, busy, problem } = useMutation(SetBroadcastPolicyDocument);
  const errorAt = useFieldErrors(problem);
  const changes = changesOf(form, before);
  const count = Object.keys(changes).length;
  const save = async () => {
    const { problem } = await run({ input: { channelId: channel, ...changes } });
    if (problem) return;
    setTyped({});
    showToast({ text: words.saved });
  };
  const mayChange = can("BROADCAST");
  const mayLoosen = can("OVERRIDE_BROADCAST_POLICY");
  const reason = mayChange
    ? !mayLoosen && loosensApproval(form, before)
      ? words.approvalReason
      : count === 0
        ? words.unchanged
        : null
    : words.roleReason;
  return (
    <form
      class={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (!reason) void save();
      }}
    >
      <Stack gap={4}>
        <PolicyFields
          form={form}
          mayLoosen={mayLoosen}
          errorAt={errorAt}
          onChange={(change) => setTyped((known) => ({ ...known, ...change }))}
        />
        <ApiProblem problem={problem} />
        <Row gap={2} top>
          <Button type="submit" variant="primary" busy={busy} reason={reason}>
            {count > 0 ? `${words.save}: ${words.changed(count)}` : words.save}
          </Button>
          {count > 0 && <Button onClick={() => setTyped({})}>{words.discard}</Button>}
        </Row>
      </Stack>
    </form>
  );
}
