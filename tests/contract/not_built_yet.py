"""What the contract promises and the schema does not have yet. Nothing may be added here."""

from typing import Final

MISSING_FROM_SCHEMA: Final = (
    "AdTag.flow",
    "AdTag.mergedInto",
    "Audience.touchableForecast",
    "ChangeCause.TAG_MERGED",
    "ComboTag.flow",
    "ComboTag.mergedInto",
    "DefaultTag.flow",
    "DefaultTag.mergedInto",
    "MergeTagPayload",
    "MergeTagPreview",
    "Mutation.mergeTag",
    "Query.audience(asOf:)",
    "Query.mergeTagPreview",
    "Query.tagHints",
    "ReturnTag.flow",
    "ReturnTag.mergedInto",
    "Tag.flow",
    "Tag.mergedInto",
    "TagFlow",
    "TagFlowCause",
    "TagHint",
    "TagHintKind",
    "TagMerge",
    "TouchableAt",
    "User.whyNot",
)
