"""Read the audit log of a robot, channel by channel."""

from service.entities.audit_chain import AuditFilter, AuditPosition, LoggedEntry
from service.storage.audit_chain import logged_entry
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def audit_page(
    conn: Connection, channel_id: int, wanted: AuditFilter, *, after: AuditPosition | None, limit: int
) -> list[LoggedEntry]:
    """Return at most `limit` entries of a channel, newest first, from the one after `after` on."""
    position = (None, None, None) if after is None else after
    rows = await conn.fetch(STATEMENTS["audit_page"], channel_id, *position, *_conditions(wanted), limit)
    return [logged_entry(row) for row in rows]


async def audit_entry(conn: Connection, channel_id: int, entry_id: int) -> LoggedEntry | None:
    """Return an entry, None if there is none."""
    row = await conn.fetchrow(STATEMENTS["audit_entry"], channel_id, entry_id)
    return None if row is None else logged_entry(row)


async def exported_entries(
    conn: Connection, channel_id: int, wanted: AuditFilter, after: int, last: int
) -> list[LoggedEntry]:
    """Return the sealed entries of a channel that are wanted, with numbers above `after` and up to `last`."""
    rows = await conn.fetch(STATEMENTS["exported_entries"], channel_id, after, last, *_conditions(wanted))
    return [logged_entry(row) for row in rows]


def _conditions(wanted: AuditFilter) -> tuple[object, ...]:
    return (wanted.target_id, wanted.subject, wanted.action, wanted.outcome, wanted.since, wanted.until)
