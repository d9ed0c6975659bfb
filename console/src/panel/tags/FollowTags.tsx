import { TagEventsDocument } from "../../api/generated/graphql";
import { useSubscription } from "../../api/hooks";
import type { TagChange } from "./tagList";

/** Not a cursor of the service, which answers it with RESET: so the feed says when it begins. */
const FROM_NOW = "";

type FollowTagsProps = { channel: string; onEvent?: ((event: TagChange) => void) | undefined };

/** Follows the tags of a channel; shows nothing, so that an event renders nothing by itself. */
export function FollowTags({ channel, onEvent }: FollowTagsProps) {
  const options = onEvent ? { onEvent: ({ tagEvents }: { tagEvents: TagChange }) => onEvent(tagEvents) } : {};
  useSubscription(TagEventsDocument, { channel, after: FROM_NOW }, options);
  return null;
}
