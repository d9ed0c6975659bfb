import { Link } from "wouter-preact";
import type { WebhookDeliveryRowFragment } from "../../api/generated/graphql";
import { now } from "../../ui/clock";
import { Problem } from "../../ui/Problem";
import { type Messages, useMessages } from "./messages";
import { paths } from "./paths";
import { stateOfDelivery } from "./states";
import { useDelivery } from "./useDelivery";

/** A worker that runs takes a delivery within moments. */
const PATIENCE = 30_000;

/** Says what became of something that was sent just now, asking until it is known. */
export function Outcome({ endpoint, id, title }: { endpoint: string; id: string; title: string }) {
  const m = useMessages();
  const { delivery } = useDelivery(id);
  if (!delivery) return null;
  const { tone, text } = told(delivery, m);
  return (
    <div role="status">
      <Problem
        tone={tone}
        title={title}
        action={<Link href={paths.delivery(endpoint, id)}>{m.webhooks.showDelivery}</Link>}
      >
        {text}
      </Problem>
    </div>
  );
}

function told(delivery: WebhookDeliveryRowFragment, { webhooks }: Messages) {
  const { status, error, nextAttemptAt } = delivery;
  switch (stateOfDelivery(delivery)) {
    case "WAITING":
    case "RETRYING": {
      const isLate = nextAttemptAt !== null && now.value - Date.parse(nextAttemptAt) > PATIENCE;
      return isLate
        ? ({ tone: "caution", text: webhooks.slow } as const)
        : ({ tone: "informative", text: webhooks.underWay } as const);
    }
    case "DELIVERED": {
      const text = status === null ? webhooks.nothingLeft : webhooks.arrived(String(status));
      return { tone: "informative", text } as const;
    }
    default:
      return { tone: "caution", text: webhooks.failed(whyFailed(status, error, webhooks)) } as const;
  }
}

/** Says why an attempt failed, and what to do about it. */
export function whyFailed(
  status: number | null,
  error: WebhookDeliveryRowFragment["error"],
  webhooks: Messages["webhooks"],
): string {
  if (error === null) return "";
  return error === "STATUS" && status !== null ? webhooks.notTaken(String(status)) : webhooks.errors[error];
}
