import type { TagInViewFragment } from "../../api/generated/graphql";
import type { TagRow } from "./tagList";

type LapsedBy = readonly { readonly id: string; readonly category: string; readonly name: string }[];

/** What somebody who looks at a tag should know, and may be able to mend. */
export type Hint =
  | { readonly kind: "AD_UNCONFIRMED" }
  | { readonly kind: "AD_PENDING" }
  | { readonly kind: "COMPUTING"; readonly progress: number | null }
  | { readonly kind: "LAPSED"; readonly by: LapsedBy }
  | { readonly kind: "EMPTY" };

/** Returns what there is to know about a tag; `view` is undefined until more than its row was read. */
export function hintOf(
  tag: TagRow,
  view: Pick<TagInViewFragment, "__typename"> | undefined,
  adReturnConfirmed: boolean,
): Hint | null {
  const combo = view?.__typename === "ComboTag" ? (view as TagInViewFragment) : undefined;
  if (tag.state === "LAPSED") {
    return { kind: "LAPSED", by: combo && "lapsedBy" in combo ? combo.lapsedBy : [] };
  }
  if (tag.state === "PENDING") {
    if (tag.kind === "AD") return { kind: adReturnConfirmed ? "AD_PENDING" : "AD_UNCONFIRMED" };
    return { kind: "COMPUTING", progress: combo && "progress" in combo ? combo.progress : null };
  }
  return tag.memberCount === 0 ? { kind: "EMPTY" } : null;
}
