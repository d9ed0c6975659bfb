"""Delete broadcasts that ended long ago."""

from datetime import datetime
from typing import Final

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

SENDS_PER_STATEMENT: Final = 100_000


async def outdated_broadcasts(conn: Connection, channel_id: int, before: datetime) -> list[int]:
    """Return the numbers of the broadcasts that ended before an instant, newest first: runs come before their series.

    Those of a series that goes on are left out, and so is a series of which runs are left.
    """
    rows = await conn.fetch(STATEMENTS["outdated_broadcasts"], channel_id, before)
    return [row["job_id"] for row in rows]


async def delete_broadcast(conn: Connection, channel_id: int, job_id: int) -> None:
    """Delete a broadcast, which is locked, with everything that is kept of it."""
    deleted = SENDS_PER_STATEMENT
    while deleted == SENDS_PER_STATEMENT:
        deleted = await conn.fetchval(STATEMENTS["delete_sends_of_broadcast"], channel_id, job_id, SENDS_PER_STATEMENT)
    await conn.execute(STATEMENTS["delete_broadcast"], channel_id, job_id)
