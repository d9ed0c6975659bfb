"""Bitmaps of tags and the counts beside them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE
from service.entities.tags import MemberCount
from service.storage.database import Connection
from service.storage.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class Flip:
    """Bits of one tag to flip in one locked block, and how the count changes by it."""

    block: int
    tag_id: int
    flips: bytes
    delta: int
    at: datetime


async def flip_members(conn: Connection, channel_id: int, flips: Sequence[Flip]) -> None:
    """Flips bits and keeps the counts; the caller holds the blocks and read the difference after locking them."""
    blocks = [flip.block for flip in flips]
    tag_ids = [flip.tag_id for flip in flips]
    bits = [BitString.frombytes(flip.flips, BLOCK_SIZE) for flip in flips]
    await conn.execute(STATEMENTS["flip_members"], channel_id, blocks, tag_ids, bits)
    counted = [flip for flip in flips if flip.delta]
    if counted:
        await conn.execute(
            STATEMENTS["count_members"],
            channel_id,
            [flip.block for flip in counted],
            [flip.tag_id for flip in counted],
            [flip.delta for flip in counted],
            [flip.at for flip in counted],
        )


async def member_counts(conn: Connection, channel_id: int) -> dict[int, MemberCount]:
    """Members and the time of their last change, by tag id; a tag nobody ever had is absent."""
    rows = await conn.fetch(STATEMENTS["member_counts"], channel_id)
    return {row["tag_id"]: MemberCount(row["members"], row["at"]) for row in rows}


async def miscounted_tags(conn: Connection, channel_id: int, block: int) -> list[tuple[int, int, int]]:
    """(tag id, stored count, true count) where the two differ, in a locked block."""
    rows = await conn.fetch(STATEMENTS["miscounted_tags"], channel_id, block)
    return [(row["tag_id"], row["counted"], row["members"]) for row in rows]


async def set_member_count(
    conn: Connection, channel_id: int, block: int, tag_id: int, members: int, at: datetime
) -> None:
    await conn.execute(STATEMENTS["set_member_count"], channel_id, block, tag_id, members, at)


async def stray_members(conn: Connection, channel_id: int, block: int) -> list[tuple[int, list[int]]]:
    """(offset, tag ids) of bits that belong to nobody, in a locked block."""
    rows = await conn.fetch(STATEMENTS["stray_members"], channel_id, block)
    return [(row["user_offset"], row["tag_ids"]) for row in rows]


async def drop_empty_members(conn: Connection, channel_id: int, block: int) -> None:
    await conn.execute(STATEMENTS["drop_empty_members"], channel_id, block)
