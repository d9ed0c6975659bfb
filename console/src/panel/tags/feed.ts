import { useEffect, useRef } from "preact/hooks";
import type { TagEventsSubscription } from "../../api/generated/graphql";

export type TagChange = TagEventsSubscription["tagEvents"];
type Listener = (event: TagChange) => void;

const listeners = new Set<Listener>();
let begun: string | null = null;

/** Notes that the feed of a channel is not there, or no longer. */
export function feedEnded(): void {
  begun = null;
}

/** Hands an event of a channel to whoever listens. The first one is RESET: whatever is read after it misses nothing. */
export function feedTold(channel: string, event: TagChange): void {
  begun = channel;
  for (const listener of listeners) listener(event);
}

/** Tells whether the feed of a channel has begun, so that what is read from now on misses nothing. */
export function feedHasBegun(channel: string): boolean {
  return begun === channel;
}

/** Listens to the feed of the channel whose pages are shown. */
export function useTagFeed(onEvent: Listener): void {
  const newest = useRef(onEvent);
  newest.current = onEvent;
  useEffect(() => {
    const listen: Listener = (event) => newest.current(event);
    listeners.add(listen);
    return () => void listeners.delete(listen);
  }, []);
}
