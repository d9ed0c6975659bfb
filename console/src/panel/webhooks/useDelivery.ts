import { WebhookDeliveryDocument, type WebhookDeliveryRowFragment } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { useAskingAgain } from "./useAskingAgain";

const OFTEN = 1_000;

/** Follows one delivery until no further attempt of it is to come; undefined until it is known, and where it is gone. */
export function useDelivery(id: string): {
  readonly delivery: WebhookDeliveryRowFragment | undefined;
  readonly isGone: boolean;
} {
  const { data, problem, again } = useQuery(WebhookDeliveryDocument, { id });
  const node = data?.node;
  const delivery = node?.__typename === "WebhookDelivery" ? node : undefined;
  useAskingAgain(again, delivery && delivery.nextAttemptAt !== null ? OFTEN : null);
  const isGone = problem?.code === "NOT_FOUND" || problem?.code === "BAD_USER_INPUT";
  return { delivery, isGone };
}
