import { FollowBroadcastDocument } from "../../../api/generated/graphql";
import { useSubscription } from "../../../api/hooks";

/** Keeps what the page knows of one broadcast up to date, until it has ended; shows nothing. */
export function FollowBroadcast({ id }: { id: string }) {
  useSubscription(FollowBroadcastDocument, { id });
  return null;
}
