"""Take forgotten people out of broadcasts: whoever was planned is not sent to, and counts stay as they are."""

from collections.abc import Sequence

from service.entities.bitmaps import bitmaps_of
from service.storage.broadcasts.broadcast_forgetting import (
    forget_beside_ledgers,
    forget_in_ledgers,
    lock_broadcasts_about,
)
from service.storage.database.pool import Connection


async def forget_in_broadcasts(conn: Connection, channel_id: int, block: int, ordinals: Sequence[int]) -> None:
    """Take people of a block out of broadcasts; the caller holds the block, so that no audience is frozen with them."""
    people = bitmaps_of(ordinals)[block]
    job_ids = await lock_broadcasts_about(conn, channel_id, block, people)
    if job_ids:
        await forget_in_ledgers(conn, channel_id, block, people, ordinals, job_ids)
    await forget_beside_ledgers(conn, channel_id, block, people, ordinals)
