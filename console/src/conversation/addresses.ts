/** Returns the address of a conversation, or of the page with none chosen. */
export function conversationHref(channel: string | null, openid: string | null = null): string {
  return withQuery("/conversation", channel, openid);
}

/** Returns the address of somebody's card alone. */
export function cardHref(channel: string, openid: string): string {
  return withQuery("/conversation/card", channel, openid);
}

function withQuery(path: string, channel: string | null, openid: string | null): string {
  const query = new URLSearchParams();
  if (channel !== null) query.set("channel", channel);
  if (openid !== null) query.set("openid", openid);
  return query.size > 0 ? `${path}?${query}` : path;
}
