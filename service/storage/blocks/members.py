"""Store the bitmaps of tags and the counts beside them."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.entities.tags import MemberCount
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

# Up to eight bits of a bitmap, as many as `set_member_bits` takes for one row, are set one by one.
MAX_SINGLE_BITS: Final = 8


@dataclass(frozen=True, slots=True)
class Flip:
    """Hold offsets of one locked block that gain a tag, which none of them had, and that lose it, which all had."""

    block: int
    tag_id: int
    added: Sequence[int]
    removed: Sequence[int]
    at: datetime

    @property
    def is_small(self) -> bool:
        """Tell whether the bits are set one by one."""
        return len(self.added) + len(self.removed) <= MAX_SINGLE_BITS

    @property
    def delta(self) -> int:
        """Return by how much the count of members grows."""
        return len(self.added) - len(self.removed)


class Miscount(NamedTuple):
    """Hold a tag of a block whose count is not the number of its bits."""

    tag_id: int
    counted: int
    members: int


class StrayBits(NamedTuple):
    """Hold the tags that an offset has although no user has the offset."""

    offset: int
    tag_ids: list[int]


async def flip_members(conn: Connection, channel_id: int, flips: Sequence[Flip]) -> None:
    """Flip bits and keep the counts; the caller holds the blocks and read the difference after locking them."""
    small = [flip for flip in flips if flip.is_small]
    found = await _set_single_bits(conn, channel_id, small) if small else frozenset()
    # What is left has no row: no user of the block had the tag so far.
    await _flip_bitmaps(conn, channel_id, [flip for flip in flips if (flip.block, flip.tag_id) not in found])
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


async def _set_single_bits(conn: Connection, channel_id: int, flips: Sequence[Flip]) -> AbstractSet[tuple[int, int]]:
    """Set single bits, and return the (block, tag id) that have a row.

    One bit costs less than the 4 kB of a bitmap with one bit in it.
    """
    offsets: list[int] = []
    values: list[int] = []
    for flip in flips:
        spare = MAX_SINGLE_BITS - len(flip.added) - len(flip.removed)
        offsets += flip.added
        offsets += flip.removed
        values += [1] * len(flip.added) + [0] * len(flip.removed)
        # Setting the last one again changes nothing.
        offsets += offsets[-1:] * spare
        values += values[-1:] * spare
    rows = await conn.fetch(
        STATEMENTS["set_member_bits"],
        channel_id,
        [flip.block for flip in flips],
        [flip.tag_id for flip in flips],
        offsets,
        values,
    )
    return {(block, tag_id) for block, tag_id in rows}


async def _flip_bitmaps(conn: Connection, channel_id: int, flips: Sequence[Flip]) -> None:
    if not flips:
        return
    await conn.execute(
        STATEMENTS["flip_members"],
        channel_id,
        [flip.block for flip in flips],
        [flip.tag_id for flip in flips],
        [BitString.frombytes(bitmap_of((*flip.added, *flip.removed)), BLOCK_SIZE) for flip in flips],
    )


async def member_counts(conn: Connection, channel_id: int) -> dict[int, MemberCount]:
    """Return the members of each tag and when that last changed, `{tag_id: count}`; absent if no user ever had it."""
    rows = await conn.fetch(STATEMENTS["member_counts"], channel_id)
    return {row["tag_id"]: MemberCount(row["members"], row["at"]) for row in rows}


async def miscounted_tags(conn: Connection, channel_id: int, block: int) -> list[Miscount]:
    """Return the tags of a locked block whose count is not the number of their bits."""
    rows = await conn.fetch(STATEMENTS["miscounted_tags"], channel_id, block)
    return [Miscount(row["tag_id"], row["counted"], row["members"]) for row in rows]


async def set_member_count(
    conn: Connection, channel_id: int, block: int, tag_id: int, members: int, at: datetime
) -> None:
    """Correct the count of a tag in a locked block."""
    await conn.execute(STATEMENTS["set_member_count"], channel_id, block, tag_id, members, at)


async def stray_members(conn: Connection, channel_id: int, block: int) -> list[StrayBits]:
    """Return the bits of a locked block that belong to no user, by offset."""
    rows = await conn.fetch(STATEMENTS["stray_members"], channel_id, block)
    return [StrayBits(row["user_offset"], row["tag_ids"]) for row in rows]


async def bits_of_block(conn: Connection, channel_id: int, block: int) -> dict[int, bytes]:
    """Return the bitmaps of all tags in a block, `{tag_id: members}`."""
    rows = await conn.fetch(STATEMENTS["bits_of_block"], channel_id, block)
    return {row["tag_id"]: row["members"].bytes for row in rows}


async def drop_empty_members(conn: Connection, channel_id: int, block: int) -> None:
    """Delete the rows of tags that no user of a locked block has."""
    await conn.execute(STATEMENTS["drop_empty_members"], channel_id, block)
