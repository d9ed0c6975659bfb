"""What the contract promises and the schema does not have yet. Nothing may be added here."""

from typing import Final

MISSING_FROM_SCHEMA: Final = (
    "AuditEntry",
    "AuditEntryConnection",
    "AuditEntryEdge",
    "AuditFilter",
    "Broadcast",
    "BroadcastConnection",
    "BroadcastEdge",
    "BroadcastFailure",
    "BroadcastMessageInput",
    "BroadcastPreview",
    "CancelBroadcastPayload",
    "Channel.broadcasts",
    "CreateBroadcastInput",
    "CreateBroadcastPayload",
    "DeleteTagPreview.broadcasts",
    "MessageKind",
    "MiniProgramPageInput",
    "Mutation.cancelBroadcast",
    "Mutation.createBroadcast",
    "Query.auditLog",
    "Query.broadcast",
    "Query.broadcastPreview",
    "SubscribeMessageInput",
    "TemplateFieldInput",
    "TemplateMessageInput",
    "TextMessageInput",
    "UnbindChannelPayload.stopped",
)
