"""Read the audit log of a robot, newest first. Whoever may read it sees all channels of the robot.

Source: docs/specification.md §6.9.
"""

import heapq
from typing import Final

from service.domain.runtime import Runtime
from service.entities.audit_chain import AuditFilter, AuditPosition, LoggedEntry
from service.entities.errors import ForbiddenError, NotFoundError
from service.entities.paging import Page
from service.entities.principal import Permission, Principal
from service.storage import audit_log
from service.storage.channels import channel_of_robot, channels_of_robot

SOUGHT: Final = "audit entry"


def require_audit_permission(principal: Principal) -> None:
    """Raise ForbiddenError for a principal who may not read the audit log, which is that of the whole robot."""
    if not principal.may(Permission.VIEW_AUDIT_LOG):
        raise ForbiddenError


async def audit_page(
    runtime: Runtime, principal: Principal, wanted: AuditFilter, *, after: AuditPosition | None, limit: int
) -> Page[LoggedEntry]:
    """Return at most `limit` entries, newest first, from the one after `after` on. Raises ForbiddenError."""
    require_audit_permission(principal)
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
