"""Store entries of the audit log before they are sealed."""

from collections.abc import Iterable

from service.entities.audit import AuditEntry
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def insert_entry(conn: Connection, entry: AuditEntry) -> None:
    """Insert an act that was done, unless there is an entry with its number."""
    await conn.execute(
        STATEMENTS["insert_audit_entry"],
        entry.channel_id,
        entry.entry_id,
        entry.robot_id,
        entry.at,
        entry.subject,
        entry.role,
        entry.action,
        entry.target_id,
        entry.detail,
        entry.outcome,
        entry.error_code,
        entry.origin.request_id,
        entry.origin.client_address,
        entry.before,
        entry.after,
    )


async def fold_entries(conn: Connection, entries: Iterable[AuditEntry]) -> None:
    """Add refusals to the entries of their kind and minute, or insert those; `count` is how many they are."""
    rows = [
        (
            each.channel_id,
            each.entry_id,
            each.robot_id,
            each.at,
            each.subject,
            each.role,
            each.action,
            each.detail,
            each.outcome,
            each.error_code,
            each.origin.request_id,
            each.origin.client_address,
            each.count,
            each.minute,
        )
        for each in entries
    ]
    await conn.executemany(STATEMENTS["fold_audit_entry"], rows)
