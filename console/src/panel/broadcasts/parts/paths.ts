/** Addresses of the pages of broadcasts, and of those that they lead to. */
export const paths = {
  list: (channel: string) => `${channelPath(channel)}/broadcasts`,
  compose: (channel: string, from?: string) =>
    `${channelPath(channel)}/broadcasts/new${from ? `?from=${encodeURIComponent(from)}` : ""}`,
  policy: (channel: string) => `${channelPath(channel)}/broadcasts/policy`,
  report: (channel: string, id: string) => `${channelPath(channel)}/broadcasts/${encodeURIComponent(id)}`,
  edit: (channel: string, id: string) => `${channelPath(channel)}/broadcasts/${encodeURIComponent(id)}/edit`,
  received: (channel: string, id: string) =>
    `${channelPath(channel)}/audience?expression=${encodeURIComponent(`received(${encodeURIComponent(id)})`)}`,
  person: (channel: string, openid: string) =>
    `${channelPath(channel)}/people?openid=${encodeURIComponent(openid)}`,
};

function channelPath(channel: string): string {
  return `/channels/${encodeURIComponent(channel)}`;
}
