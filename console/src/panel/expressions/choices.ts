import type { Messages } from "../../i18n/messages";
import type { KnownBroadcast, KnownTag } from "./knownNodes";
import { followersLeaf, type Leaf, receivedLeaf, tagLeaf } from "./tree";

/** Something that can be put into an expression. */
export type Choice =
  | { readonly kind: "followers" }
  | { readonly kind: "tag"; readonly tag: KnownTag }
  | { readonly kind: "received"; readonly broadcast: KnownBroadcast };

export function leafOf(choice: Choice): Leaf {
  if (choice.kind === "tag") return tagLeaf(choice.tag.id);
  return choice.kind === "received" ? receivedLeaf(choice.broadcast.id) : followersLeaf();
}

export function nameOfChoice(choice: Choice, m: Messages["expressions"]): string {
  if (choice.kind === "tag") return choice.tag.name;
  if (choice.kind === "followers") return m.followers;
  return m.received(choice.broadcast.name ?? m.unnamedBroadcast);
}

export function keyOfChoice(choice: Choice): string {
  if (choice.kind === "tag") return choice.tag.id;
  return choice.kind === "received" ? choice.broadcast.id : "followers";
}

/** Returns the place after or before another one, round the end; from -1 the first or the last. */
export function nextPlace(from: number, step: 1 | -1, count: number): number {
  return count === 0 ? -1 : (from + step + count + (from < 0 && step < 0 ? 1 : 0)) % count;
}
