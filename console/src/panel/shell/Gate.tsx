import type { ComponentChildren } from "preact";
import { useLocation } from "wouter-preact";
import { ChannelsDocument } from "../../api/generated/graphql";
import { useQuery } from "../../api/hooks";
import { viewer } from "../../app/viewer";
import { useMessages } from "../../i18n/messages";
import { PageHeader } from "../../ui/Section";
import { ClosedChannel } from "../channels/ClosedChannel";
import { closedBy } from "../channels/gate";
import { channelOf } from "./place";

/** Parts of a channel that are empty and not to be edited while its tags cannot be used. */
const CLOSES = /^\/channels\/[^/]+\/(tags|audience|broadcasts|sync)(\/|$)/;

/** Shows a page, or why it is empty where the tags of its channel cannot be used. */
export function Gate({ children }: { children: ComponentChildren }) {
  const m = useMessages();
  const [path] = useLocation();
  const channels = useQuery(ChannelsDocument, {}, { policy: "cache-first" });
  const here = CLOSES.test(path) ? channelOf(path) : null;
  const channel = channels.data?.channels.find(({ id }) => id === here);
  const closed = channel && closedBy(channel, viewer.value?.ready ?? true);
  if (!channel || !closed) return children;
  const part = path.split("/")[3] as "tags" | "audience" | "broadcasts" | "sync";
  return (
    <>
      <PageHeader title={m.shell[part]} above={channel.name} />
      <ClosedChannel channel={channel} closed={closed} />
    </>
  );
}
