"""Store who was seen while the members of a tag at WeChat are read, and what is known of them after that."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def settled_ordinals(conn: Connection, channel_id: int, ordinals: Iterable[int], second: datetime) -> list[int]:
    """Return, ascending, those who still exist and have neither followed nor unfollowed after a second.

    The caller holds the link of the tag.
    """
    rows = await conn.fetch(STATEMENTS["settled_ordinals"], channel_id, list(ordinals), second)
    return [row["ordinal"] for row in rows]


async def drop_remote_reading(conn: Connection, channel_id: int, job_id: int, tag_id: int) -> None:
    """Delete whom a job has seen of a tag so far."""
    await conn.execute(STATEMENTS["drop_remote_reading"], channel_id, job_id, tag_id)


async def add_read_members(
    conn: Connection, channel_id: int, job_id: int, tag_id: int, bitmaps: Mapping[int, bytes], *, synced: bool
) -> None:
    """Record of `{block: bitmap}` that they have a tag at WeChat and were seen there by a job.

    With `synced` the followers among them also count as having had it when the tag was synced last. The caller holds
    the link of the tag.
    """
    blocks = sorted(bitmaps)
    bits = [BitString.frombytes(bitmaps[block], BLOCK_SIZE) for block in blocks]
    await conn.execute(STATEMENTS["add_read_members"], channel_id, job_id, tag_id, blocks, bits, synced)


async def end_remote_reading(conn: Connection, channel_id: int, job_id: int, tag_id: int) -> None:
    """Record that nobody has a tag at WeChat whom a job has not seen there; whom it has seen is no longer kept.

    The caller holds the link of the tag.
    """
    await conn.execute(STATEMENTS["end_remote_reading"], channel_id, job_id, tag_id)
