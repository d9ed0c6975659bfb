import type { TagRowFragment } from "../../api/generated/graphql";
import type { TagChange } from "./feed";

export type TagRow = TagRowFragment;
export type Tags = ReadonlyMap<string, TagRow>;

/** Returns the tags after some events, in the order in which they came; RESET is for whoever loads the list. */
export function changed(tags: Tags, changes: readonly TagChange[]): Tags {
  if (changes.length === 0) return tags;
  const after = new Map(tags);
  for (const { kind, tag } of changes) {
    if (!tag) continue;
    if (kind === "DELETED" || tag.deletedAt !== null) after.delete(tag.id);
    else after.set(tag.id, tag);
  }
  return after;
}

/** Returns the tags with those of one more page of the list. */
export function withPage(tags: Tags, page: readonly TagRow[]): Tags {
  const after = new Map(tags);
  for (const tag of page) after.set(tag.id, tag);
  return after;
}
