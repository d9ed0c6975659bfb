import { useState } from "preact/hooks";
import { TestWebhookDocument, type WebhookDetailsFragment } from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { ApiProblem } from "../../app/ApiProblem";
import { Button } from "../../ui/Button";
import { SendIcon } from "../../ui/icons";
import { Stack } from "../../ui/Layout";
import { useMessages } from "./messages";
import { Outcome } from "./Outcome";

/** Sends a test event, and says what became of it as soon as that is known. */
export function TestEvent({ endpoint }: { endpoint: WebhookDetailsFragment }) {
  const { webhooks } = useMessages();
  const { id, state } = endpoint;
  const [sent, setSent] = useState<string | null>(null);
  const { run, busy, problem } = useMutation(TestWebhookDocument);
  const reason = state === "OFF" ? webhooks.testOff : state === "GONE" ? webhooks.testGone : null;
  const send = async () => setSent((await run({ id })).data?.testWebhook?.id ?? null);
  return (
    <Stack gap={3}>
      <div>
        <Button icon={<SendIcon />} busy={busy} reason={reason} onClick={send}>
          {webhooks.test}
        </Button>
      </div>
      <ApiProblem
        problem={problem}
        title={problem?.code === "CHANNEL_NOT_BOUND" ? webhooks.testNoChannel : undefined}
      />
      {sent !== null && <Outcome key={sent} endpoint={id} id={sent} title={webhooks.testTitle} />}
    </Stack>
  );
}
