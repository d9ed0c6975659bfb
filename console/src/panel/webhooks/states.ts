import type { WebhookDeliveryRowFragment, WebhookState } from "../../api/generated/graphql";
import { locale } from "../../i18n/language";
import { remainingTime } from "../../ui/durations";
import type { Tone } from "../../ui/StateBadge";
import type { Messages } from "./messages";

type Look = { readonly tone: Tone; readonly line: "solid" | "dashed" | "dotted" };

/** How each state of an endpoint looks. */
export const LOOKS: Record<WebhookState, Look> = {
  ACTIVE: { tone: "positive", line: "solid" },
  RETRYING: { tone: "caution", line: "dashed" },
  FAILING: { tone: "negative", line: "dotted" },
  GONE: { tone: "negative", line: "dotted" },
  OFF: { tone: "neutral", line: "dotted" },
};

/** Tells whether an endpoint is told anything: it is neither switched off nor gone. */
export function isTold(state: WebhookState): boolean {
  return state !== "OFF" && state !== "GONE";
}

export type DeliveryState = "DELIVERED" | "WAITING" | "RETRYING" | "FAILED" | "GIVEN_UP";

type Outcome = Pick<WebhookDeliveryRowFragment, "deliveredAt" | "nextAttemptAt" | "error" | "attempts">;

/** Returns what became of a delivery so far. One that was acknowledged may be under way once more. */
export function stateOfDelivery({ deliveredAt, nextAttemptAt, error, attempts }: Outcome): DeliveryState {
  if (nextAttemptAt !== null) return error === null ? "WAITING" : "RETRYING";
  if (error !== null) return "FAILED";
  if (deliveredAt !== null) return "DELIVERED";
  return attempts === 0 ? "GIVEN_UP" : "FAILED";
}

/** How each state of a delivery looks. */
export const DELIVERY_LOOKS: Record<DeliveryState, Look> = {
  DELIVERED: { tone: "positive", line: "solid" },
  WAITING: { tone: "informative", line: "dashed" },
  RETRYING: { tone: "caution", line: "dashed" },
  FAILED: { tone: "negative", line: "dotted" },
  GIVEN_UP: { tone: "neutral", line: "dotted" },
};

/** Says how long the oldest event has waited, given in seconds. */
export function lagText(seconds: number, { webhooks }: Messages): string {
  return remainingTime(seconds * 1_000, 0, locale()) ?? webhooks.noLag;
}
