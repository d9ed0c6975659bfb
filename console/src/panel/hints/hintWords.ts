import type { TagHintsQuery } from "../../api/generated/graphql";
import { formatCount } from "../../i18n/format";
import type { Messages } from "../looking/messages";
import { isMergeable } from "../merging/mergeable";

export type TagHint = NonNullable<TagHintsQuery["tagHints"]>[number];

/** Says a hint in the reader's language; the service's own sentence, in English, is null's stand-in. */
export function sentenceOf({ kind, tag, other }: TagHint, m: Messages["hints"]): string | null {
  const name = m.quoted(tag.name);
  const second = m.quoted(other?.name ?? "");
  switch (kind) {
    case "EMPTY":
      return m.texts.EMPTY(name);
    case "UNUSED":
      return m.texts.UNUSED(name);
    case "DISJOINT":
      return other && m.texts.DISJOINT(name, second);
    case "EQUAL":
      return other && m.texts.EQUAL(name, second, formatCount(tag.memberCount));
    case "SUBSET":
      return (
        other && m.texts.SUBSET(name, second, formatCount(tag.memberCount), formatCount(other.memberCount))
      );
    default:
      return null;
  }
}

/** Whether the tag of a hint is one that can be deleted as a way to deal with it. */
export function mayBeDeleted({ kind, tag }: Pick<TagHint, "kind" | "tag">): boolean {
  return tag.kind !== "DEFAULT" && (kind === "EQUAL" || kind === "EMPTY" || kind === "UNUSED");
}

/** Whether the tag of a hint is one whose expression or ads can be edited as a way to deal with it. */
export function mayBeEdited({ kind, tag }: Pick<TagHint, "kind" | "tag">): boolean {
  return (tag.kind === "COMBO" || tag.kind === "AD") && kind !== "UNUSED";
}

/** Whether the two tags of a hint can become one. */
export function mayBeMerged({ kind, tag, other }: Pick<TagHint, "kind" | "tag" | "other">): boolean {
  return kind === "EQUAL" && other?.kind === tag.kind && isMergeable(tag.kind);
}
