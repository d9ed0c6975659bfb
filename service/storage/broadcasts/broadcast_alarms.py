"""Read how the broadcasts of all channels are doing, for whoever runs the service."""

from datetime import datetime
from typing import NamedTuple

from service.entities.broadcasts import WaitReason
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class HaltedBroadcasts(NamedTuple):
    """Hold how many broadcasts are PAUSED or WAITING_FOR_APPROVAL for a reason, and when the first was to start."""

    broadcasts: int
    first_start: datetime


async def halted_broadcasts(conn: Connection) -> dict[WaitReason, HaltedBroadcasts]:
    """Return the broadcasts that somebody has to look at, by what they wait for."""
    rows = await conn.fetch(STATEMENTS["halted_broadcasts"])
    return {WaitReason(row["waiting_for"]): HaltedBroadcasts(row["broadcasts"], row["first_start"]) for row in rows}


async def count_uncertain_broadcasts(conn: Connection, ended_since: datetime) -> int:
    """Count those with uncertain people that nobody works on, and that have not ended before an instant."""
    return int(await conn.fetchval(STATEMENTS["count_uncertain_broadcasts"], ended_since))


async def broadcasts_that_do_not_close(conn: Connection, ended_since: datetime, limit: int) -> list[tuple[int, int]]:
    """Return `(channel_id, job_id)` of those whose counts are not those of their people, as `verify` finds them.

    Looked at are those that have not ended before an instant; at most `limit` are found.
    """
    rows = await conn.fetch(STATEMENTS["broadcasts_that_do_not_close"], ended_since, limit)
    return [(row["channel_id"], row["job_id"]) for row in rows]
