import { signal } from "@preact/signals";

const CHANNEL = /^\/channels\/([^/]+)(\/[^/]+)?/;

/** The channel that was looked at last, by its id; null before any was. */
export const lastChannel = signal<string | null>(null);

/** Return the id of the channel that a path is about; null for a page of the whole robot. */
export function channelOf(path: string): string | null {
  const id = CHANNEL.exec(path)?.[1];
  return id === undefined ? null : decoded(id);
}

/** Return a part of a path as it was before it was escaped; one that is escaped wrongly as it is, which finds nothing. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** Return the same part of the panel for another channel: its list, where the path is about one thing. */
export function inChannel(path: string, channelId: string): string {
  const part = CHANNEL.exec(path)?.[2] ?? "/tags";
  return `/channels/${encodeURIComponent(channelId)}${part}`;
}
