"""Read the audit log of a robot, newest first. Whoever may read it sees all channels of the robot.

Source: docs/specification.md §6.9.
"""

import heapq
import unicodedata
from typing import Final

from service.domain.runtime import Runtime
from service.entities.audit_chain import AuditFilter, AuditPosition, LoggedEntry
from service.entities.errors import BadInputError, FieldError, ForbiddenError, NotFoundError
from service.entities.paging import Page
from service.entities.principal import Permission, Principal
from service.storage import audit_log
from service.storage.channels import channel_of_robot, channels_of_robot

SOUGHT: Final = "audit entry"
MAX_FILTER_LENGTH: Final = 256
FILTERED_TEXTS: Final = ("target_id", "subject", "action")


def require_audit_permission(principal: Principal) -> None:
    """Raise ForbiddenError for a principal who may not read the audit log, which is that of the whole robot."""
    if not principal.may(Permission.VIEW_AUDIT_LOG):
        raise ForbiddenError


def check_audit_filter(wanted: AuditFilter) -> None:
    """Raise BadInputError for a text that no entry can have: longer than 256 characters, or with control characters."""
    errors = []
    for name in FILTERED_TEXTS:
        text = getattr(wanted, name) or ""
        if len(text) > MAX_FILTER_LENGTH:
            errors.append(FieldError(("filter", name), "BAD_LENGTH", f"At most {MAX_FILTER_LENGTH} characters."))
        elif any(unicodedata.category(character) in {"Cc", "Cs"} for character in text):
            errors.append(FieldError(("filter", name), "BAD_CHARACTER", "Control characters are not allowed."))
    if errors:
        raise BadInputError(*errors)


async def audit_page(
    runtime: Runtime, principal: Principal, wanted: AuditFilter, *, after: AuditPosition | None, limit: int
) -> Page[LoggedEntry]:
    """Return at most `limit` entries, newest first, from the one after `after` on.

    Raises ForbiddenError, BadInputError.
    """
    require_audit_permission(principal)
    check_audit_filter(wanted)
    async with runtime.pool.acquire() as conn:
        channels = await channels_of_robot(conn, principal.robot_id)
        pages = [
            await audit_log.audit_page(conn, each.channel_id, wanted, after=after, limit=limit + 1) for each in channels
        ]
    found = list(heapq.merge(*pages, key=position_of, reverse=True))
    return Page(found[:limit], len(found) > limit)


async def find_audit_entry(runtime: Runtime, principal: Principal, channel_id: int, entry_id: int) -> LoggedEntry:
    """Return an entry of the principal's robot. Raises ForbiddenError, NotFoundError."""
    require_audit_permission(principal)
    async with runtime.pool.acquire() as conn:
        channel = await channel_of_robot(conn, principal.robot_id, channel_id)
        found = None if channel is None else await audit_log.audit_entry(conn, channel_id, entry_id)
    if found is None:
        raise NotFoundError(SOUGHT)
    return found


def position_of(logged: LoggedEntry) -> AuditPosition:
    """Return the place of an entry in the log."""
    return AuditPosition(logged.entry.at, logged.entry.entry_id, logged.entry.channel_id)
