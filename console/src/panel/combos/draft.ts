import type {
  ComboToEditFragment,
  TagExpressionInput,
  UpdateComboTagInput,
} from "../../api/generated/graphql";

/** What is typed about a combo beside its expression. */
export interface ComboDraft {
  readonly category: string;
  readonly name: string;
  readonly description: string;
}

/** Returns what an edit begins with. */
export function draftOf({ category, name, description }: ComboToEditFragment): ComboDraft {
  return { category, name, description: description ?? "" };
}

/** Returns what an edit changes, for `updateComboTag`; null if that is nothing. `expression` is null if it stays. */
export function changesOf(
  before: ComboToEditFragment,
  draft: ComboDraft,
  expression: TagExpressionInput | null,
): Omit<UpdateComboTagInput, "id" | "expectedVersion"> | null {
  const description = draft.description.trim() || null;
  const changes = {
    ...(draft.name.trim() !== before.name && { name: draft.name.trim() }),
    ...(draft.category.trim() !== before.category && { category: draft.category.trim() }),
    ...(description !== before.description && { description }),
    ...(expression && { expression }),
  };
  return Object.keys(changes).length > 0 ? changes : null;
}
