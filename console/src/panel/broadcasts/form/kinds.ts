import type { ChannelKind, MessageKind } from "../../../api/generated/graphql";

/** Who may send a kind: all channels of these kinds, verified or not. */
interface Sender {
  readonly kinds: readonly ChannelKind[];
  readonly verified: boolean;
}

const OFFICIAL: readonly ChannelKind[] = ["SERVICE_ACCOUNT", "SUBSCRIPTION_ACCOUNT"];

// docs/broadcasts.md, "The message".
const SENDERS: Record<MessageKind, Sender> = {
  MASS_TEXT: { kinds: OFFICIAL, verified: true },
  MASS_IMAGE: { kinds: OFFICIAL, verified: true },
  MASS_ARTICLE: { kinds: OFFICIAL, verified: true },
  TEMPLATE: { kinds: ["SERVICE_ACCOUNT"], verified: true },
  CUSTOMER_SERVICE_TEXT: { kinds: [...OFFICIAL, "MINI_PROGRAM"], verified: true },
  SERVICE_SUBSCRIPTION: { kinds: ["SERVICE_ACCOUNT"], verified: true },
  MINI_PROGRAM_SUBSCRIPTION: { kinds: ["MINI_PROGRAM"], verified: false },
};

/** The kinds of messages, in the order in which they are offered. */
export const MESSAGE_KINDS = Object.keys(SENDERS) as readonly MessageKind[];

/** Returns the kinds that a channel can send, in the order in which they are offered. */
export function kindsFor(channel: ChannelKind): readonly MessageKind[] {
  return MESSAGE_KINDS.filter((kind) => SENDERS[kind].kinds.includes(channel));
}

/** Tells whether a channel has to be verified before it sends this kind. */
export function needsVerification(kind: MessageKind, channel: ChannelKind): boolean {
  return channel !== "MINI_PROGRAM" && SENDERS[kind].verified;
}

/** Tells whether a kind is the same for all who get it, without placeholders. */
export function isMass(kind: MessageKind): boolean {
  return kind === "MASS_TEXT" || kind === "MASS_IMAGE" || kind === "MASS_ARTICLE";
}

/** Tells whether a kind fills in a template. */
export function hasTemplate(kind: MessageKind): boolean {
  return kind === "TEMPLATE" || isSubscription(kind);
}

/** Tells whether a kind is for those who allowed it, template by template. */
export function isSubscription(kind: MessageKind): boolean {
  return kind === "SERVICE_SUBSCRIPTION" || kind === "MINI_PROGRAM_SUBSCRIPTION";
}
