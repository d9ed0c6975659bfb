import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { useLocation } from "wouter-preact";
import { ChannelsDocument, ViewerDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { viewer } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { PageHeader } from "../../ui/Section";
import { ClosedChannel } from "../channels/ClosedChannel";
import { closedBy } from "../channels/gate";
import { channelOf } from "./place";

/** Parts of a channel that are empty and not to be edited while its tags cannot be used. */
const CLOSES = /^\/channels\/[^/]+\/(tags|audience|broadcasts|sync)(\/|$)/;

const LOOK_AGAIN = 5_000;

/** Shows a page, or why it is empty where the tags of its channel cannot be used. */
export function Gate({ children }: { children: ComponentChildren }) {
  const m = useMessages();
  const [path] = useLocation();
  const channels = useQuery(ChannelsDocument, {}, { policy: "cache-first" });
  const person = useQuery(ViewerDocument, {}, { policy: "cache-first" });
  const here = CLOSES.test(path) ? channelOf(path) : null;
  const channel = channels.data?.channels.find(({ id }) => id === here);
  const closed = channel && closedBy(channel, viewer.value?.ready ?? true);
  useEvery(LOOK_AGAIN, Boolean(closed), () => {
    channels.again();
    person.again();
  });
  if (!channel || !closed) return children;
  const part = path.split("/")[3] as "tags" | "audience" | "broadcasts" | "sync";
  return (
    <>
      <PageHeader title={m.shell[part]} above={channel.name} />
      <ClosedChannel channel={channel} closed={closed} />
    </>
  );
}

/** Calls a function again and again while something holds and somebody looks at the page. */
function useEvery(pause: number, active: boolean, look: () => void): void {
  const latest = useRef(look);
  latest.current = look;
  useEffect(() => {
    if (!active) return;
    const timer = setInterval(() => !document.hidden && latest.current(), pause);
    return () => clearInterval(timer);
  }, [pause, active]);
}
