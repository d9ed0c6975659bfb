import type { TagsChannelFragment } from "../../api/generated/graphql";

/** Why the tags of a channel cannot be used: it was unbound, it is not verified, or no verified account is bound. */
export type Closed = "UNBOUND" | "UNVERIFIED" | "NO_ACCOUNT";

/** Returns why the gate of a channel is closed, the reason nearest to the channel first; null while it is open. */
export function closedBecause(ready: boolean, channel: TagsChannelFragment): Closed | null {
  if (!channel.bound) return "UNBOUND";
  if (channel.kind === "SUBSCRIPTION_ACCOUNT" && !channel.verified) return "UNVERIFIED";
  return ready ? null : "NO_ACCOUNT";
}
