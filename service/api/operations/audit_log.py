"""Resolve `auditLog` and `exportAuditLog`."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.operations.nodes import load_node_or_none
from service.api.types.audit_entry import AuditEntry
from service.api.types.connection import (
    Connection,
    Edge,
    bad_cursor_error,
    check_page_size,
    cursor_of_text,
    page,
    text_of_cursor,
)
from service.api.types.primitives import After, First
from service.domain.audit.exporting import start_audit_export
from service.domain.audit.reading import audit_page, position_of
from service.entities.audit import AuditOutcome
from service.entities.audit_chain import AuditFilter, AuditFormat, AuditPosition
from service.entities.principal import Permission

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
CURSOR_KIND: Final = "audit"
MAX_DIGITS: Final = 18


@strawberry.input(name="AuditFilter", description="Which entries of the audit log: those to which all of this applies.")
class AuditFilterInput:
    target_id: strawberry.ID | None = strawberry.field(default=None, description="Id of what the act was about.")
    subject: str | None = strawberry.field(default=None, description="Who acted: `sub` of the token.")
    action: str | None = strawberry.field(default=None, description="Name of the mutation, such as `deleteTag`.")
    outcome: AuditOutcome | None = strawberry.field(default=None, description="How it ended.")
    since: datetime | None = strawberry.field(default=None, description="The earliest instant.")
    until: datetime | None = strawberry.field(default=None, description="The instant before which it was.")


Filter = Annotated[
    AuditFilterInput | None, strawberry.argument(name="filter", description="Which entries; null for all.")
]


@strawberry.type(description="The answer to `exportAuditLog`.")
class ExportAuditLogPayload:
    url: str = strawberry.field(description="Where the entries can be downloaded as NDJSON; no token is needed there.")
    url_expires_at: datetime = strawberry.field(description="When `url` stops working, an hour after it was made.")


@strawberry.type
class AuditLogQueries:
    @strawberry.field(
        description=(
            "Who did what, and what was refused to whom, on all channels of the robot, newest first. For creators and "
            "admins (VIEW_AUDIT_LOG) whose token is not narrowed to some channels. Answers BAD_USER_INPUT or "
            "LIMIT_EXCEEDED."
        ),
        extensions=[needs(Permission.VIEW_AUDIT_LOG)],
    )
    async def audit_log(
        self, info: Info, first: First = 50, after: After = None, wanted: Filter = None
    ) -> Connection[AuditEntry] | None:
        check_page_size(first)
        found = await audit_page(
            info.context.runtime,
            info.context.principal,
            _to_filter(wanted),
            after=None if after is None else _decode_cursor(after),
            limit=first,
        )
        edges = [
            Edge(cursor=_encode_cursor(position_of(each)), node=AuditEntry.of(each, load_node_or_none))
            for each in found.items
        ]
        return page(edges, after=after, has_next=found.has_more)


@strawberry.type
class AuditLogMutations:
    @strawberry.mutation(
        description=(
            "Makes a link, good for an hour, to entries of the audit log as NDJSON, in the order in which they are "
            "chained; what is not sealed yet is left out. Both this and each opening of the link are on record. For "
            "creators and admins (VIEW_AUDIT_LOG) whose token is not narrowed to some channels. Answers BAD_USER_INPUT."
        ),
        extensions=[needs(Permission.VIEW_AUDIT_LOG)],
    )
    async def export_audit_log(
        self,
        info: Info,
        wanted: Filter = None,
        audit_format: Annotated[
            AuditFormat, strawberry.argument(name="format", description="Format of the lines.")
        ] = AuditFormat.PLAIN,
    ) -> ExportAuditLogPayload | None:
        link = await start_audit_export(info.context.runtime, info.context.actor, _to_filter(wanted), audit_format)
        return ExportAuditLogPayload(url=link.url, url_expires_at=link.expires_at)


def _to_filter(given: AuditFilterInput | None) -> AuditFilter:
    if given is None:
        return AuditFilter()
    return AuditFilter(given.target_id, given.subject, given.action, given.outcome, given.since, given.until)


def _encode_cursor(position: AuditPosition) -> str:
    at = (position.at - EPOCH) // MICROSECOND
    return cursor_of_text(f"{CURSOR_KIND}:{at}:{position.entry_id}:{position.channel_id}".encode())


def _decode_cursor(cursor: str) -> AuditPosition:
    """Return the position in a cursor. Raises BadInputError for a cursor of another list."""
    kind, *numbers = text_of_cursor(cursor).split(b":")
    with suppress(ValueError, OverflowError):
        at, entry_id, channel_id = (int(number) for number in numbers if number.isdigit() and len(number) <= MAX_DIGITS)
        if kind == CURSOR_KIND.encode():
            return AuditPosition(EPOCH + at * MICROSECOND, entry_id, channel_id)
    raise bad_cursor_error()
