"""What the contract promises and the schema does not have yet. Nothing may be added here."""

from typing import Final

MISSING_FROM_SCHEMA: Final = (
    "AuditEntry",
    "AuditEntryConnection",
    "AuditEntryEdge",
    "AuditFilter",
    "BroadcastPreview",
    "BroadcastPreviewInput",
    "CreateBroadcastInput",
    "CreateBroadcastPayload",
    "Mutation.createBroadcast",
    "Mutation.retryBroadcast",
    "Mutation.updateBroadcast",
    "Query.auditLog",
    "Query.broadcastPreview",
    "RepeatInput",
    "UpdateBroadcastInput",
    "User.repliesLeft",
    "User.replyUntil",
)
