import type { ChannelCardFragment } from "../../api/generated/graphql";

/** Why a channel's tags are empty and cannot be edited. */
export type Closed = "robot" | "unbound" | "unverified";

type Facts = Pick<ChannelCardFragment, "kind" | "bound" | "verified">;

/**
 * Say why the tags of a channel cannot be used; null where they can (docs/specification.md §2).
 *
 * `ready` tells whether a verified Official Account of the robot is bound.
 */
export function closedBy(channel: Facts, ready: boolean): Closed | null {
  if (!channel.bound) return "unbound";
  if (channel.kind === "SUBSCRIPTION_ACCOUNT" && !channel.verified) return "unverified";
  return ready ? null : "robot";
}
