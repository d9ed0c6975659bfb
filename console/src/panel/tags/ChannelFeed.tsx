import { useCallback, useEffect, useRef } from "preact/hooks";
import { TagEventsDocument, type TagEventsSubscription, ViewerDocument } from "../../api/generated/graphql";
import { useQuery, useSubscription } from "../../api/hooks";
import { feedEnded, feedTold } from "./feed";

/** Not a cursor of the service, which answers it with RESET: so the feed says when it begins. */
const FROM_NOW = "";

/**
 * Follows the tags of a channel for all of its pages, which listen by `useTagFeed`; shows nothing, so that an event renders
 * nothing by itself. The gate of the robot may have opened or closed with any later RESET, so that is asked again.
 */
export function ChannelFeed({ channel }: { channel: string }) {
  const { again } = useQuery(ViewerDocument, {}, { policy: "cache-first" });
  const began = useRef(false);
  useEffect(() => feedEnded, []);
  const onEvent = useCallback(
    ({ tagEvents }: TagEventsSubscription) => {
      if (tagEvents.kind === "RESET" && began.current) again();
      began.current = true;
      feedTold(channel, tagEvents);
    },
    [channel, again],
  );
  useSubscription(TagEventsDocument, { channel, after: FROM_NOW }, { onEvent });
  return null;
}
