"""What the contract promises and the schema does not have yet. Nothing may be added here."""

from typing import Final

MISSING_FROM_SCHEMA: Final = (
    "AdTag.flow",
    "Audience.touchableForecast",
    "AuditEntry",
    "AuditEntryConnection",
    "AuditEntryEdge",
    "AuditFilter",
    "AuditFormat",
    "AuditOutcome",
    "ComboTag.flow",
    "DefaultTag.flow",
    "ExportAuditLogPayload",
    "Mutation.exportAuditLog",
    "Query.audience(asOf:)",
    "Query.auditLog",
    "Query.tagHints",
    "ReturnTag.flow",
    "Tag.flow",
    "TagFlow",
    "TagFlowCause",
    "TagHint",
    "TagHintKind",
    "TouchableAt",
    "User.whyNot",
)
