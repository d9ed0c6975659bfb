import { TagEventsDocument } from "../../api/generated/graphql";
import { useSubscription } from "../../api/hooks";
import type { TagChange } from "./tagList";

/** Not a cursor of the service, which is answered with RESET: the feed says so when it begins. */
const FROM_NOW = "";

/** Follows the tags of a channel; shows nothing, so that an event renders nothing by itself. */
export function FollowTags({ channel, onEvent }: { channel: string; onEvent?: (event: TagChange) => void }) {
  useSubscription(
    TagEventsDocument,
    { channel, after: onEvent ? FROM_NOW : null },
    onEvent ? { onEvent: ({ tagEvents }) => onEvent(tagEvents) } : {},
  );
  return null;
}
