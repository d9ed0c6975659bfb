import {
  ResendWebhookDeliveryDocument,
  type WebhookDeliveryRowFragment,
  type WebhookDetailsFragment,
} from "../../api/generated/graphql";
import { useMutation } from "../../api/hooks";
import { formatInstant } from "../../i18n/format";
import { Button } from "../../ui/Button";
import { showToast } from "../../ui/toast";
import { useMessages } from "./messages";
import { isTold } from "./states";

interface ResendProps {
  readonly delivery: WebhookDeliveryRowFragment;
  readonly endpoint: WebhookDetailsFragment;
}

/** Sends a delivery once more; not offered while it is under way anyhow, or nothing is sent at all. */
export function Resend({ delivery, endpoint }: ResendProps) {
  const m = useMessages();
  const { webhooks } = m;
  const { run, busy } = useMutation(ResendWebhookDeliveryDocument);
  if (delivery.nextAttemptAt !== null || !isTold(endpoint.state)) return null;
  const resend = async () => {
    const { problem } = await run({ id: delivery.id });
    if (!problem) showToast({ text: webhooks.resent });
    else {
      const text = problem.code === "CONFLICT" ? webhooks.resendLost : m.problems[problem.code];
      showToast({ text, tone: "negative" });
    }
  };
  return (
    <Button size="small" busy={busy} label={webhooks.resendOf(formatInstant(delivery.at))} onClick={resend}>
      {webhooks.resend}
    </Button>
  );
}
