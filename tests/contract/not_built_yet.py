"""What the contract promises and the schema does not have yet. Nothing may be added here."""

from typing import Final

MISSING_FROM_SCHEMA: Final = (
    "AdTag.mergedInto",
    "ChangeCause.TAG_MERGED",
    "ComboTag.mergedInto",
    "DefaultTag.mergedInto",
    "MergeTagPayload",
    "MergeTagPreview",
    "Mutation.mergeTag",
    "ReturnTag.mergedInto",
    "Tag.mergedInto",
    "TagHint",
    "TagHintKind",
    "TagMerge",
)
