import type { TagKind } from "../../api/generated/graphql";

/** A tag as far as merging it goes. */
export interface Mergeable {
  readonly id: string;
  readonly kind: TagKind;
  readonly category: string;
  readonly name: string;
}

/** Tells whether tags of a kind can be merged into others of it: those that people or systems fill. */
export function isMergeable(kind: TagKind): boolean {
  return kind === "RETURN" || kind === "AD";
}
