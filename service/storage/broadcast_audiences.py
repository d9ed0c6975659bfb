"""Store whom broadcasts are for: who may be sent to, who is held back, and who is planned."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class ReceivableBroadcast(NamedTuple):
    """Hold what a broadcast is called of which it is kept who received it, and when it started."""

    name: str | None
    start_at: datetime


async def receivable_broadcasts(
    conn: Connection, channel_id: int, job_ids: Iterable[int], since: datetime
) -> dict[int, ReceivableBroadcast]:
    """Return those of these broadcasts that are unfinished or finished after `since`, by number."""
    rows = await conn.fetch(STATEMENTS["receivable_broadcasts"], channel_id, list(job_ids), since)
    return {row["job_id"]: ReceivableBroadcast(row["name"], row["start_at"]) for row in rows}
