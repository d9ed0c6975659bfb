"""Store as bits what differs between our tags and remote ones, frozen as a plan, and what both sides agree on."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE
from service.entities.syncs import TagSync, TagSyncAction
from service.storage.audiences import BlockMembers
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class PlannedCounts(NamedTuple):
    """Count whom a plan of one tag is about; `drift` counts what others changed, `known_count` who has the tag."""

    to_add: int
    to_remove: int
    unchanged: int
    drift: int
    known_count: int


class RemoteBits(NamedTuple):
    """Hold who of a block has a remote tag, is to get it and to lose it, as bitmaps; None is nobody."""

    tag_id: int
    members: bytes | None
    to_add: bytes | None
    to_remove: bytes | None


class LostMembers(NamedTuple):
    """Hold who of a block is to lose a remote tag, and why they lost ours: as bitmaps, and as offsets."""

    block: int
    to_remove: bytes
    by_time: bytes | None
    otherwise: bytes | None
    offsets_by_time: Sequence[int]
    offsets_otherwise: Sequence[int]


async def count_remote_members(conn: Connection, channel_id: int, tag_ids: Collection[int]) -> dict[int, int]:
    """Count who is known to have the remote tags of tags, `{tag_id: people}`; tags without anybody are left out."""
    rows = await conn.fetch(STATEMENTS["count_remote_members"], channel_id, list(tag_ids))
    return {row["tag_id"]: row["members"] for row in rows}


async def drop_remote_members(conn: Connection, channel_id: int, tag_id: int) -> None:
    """Forget who had the remote tag of a tag, since WeChat has none."""
    await conn.execute(STATEMENTS["drop_remote_members"], channel_id, tag_id)


async def freeze_members(conn: Connection, tag: TagSync, *, remove_additions: bool, is_new: bool) -> PlannedCounts:
    """Freeze who is to get the remote tag of a tag and who is to lose it, and return how many they are.

    With `remove_additions` those lose it as well who got it from somebody else; with `is_new` nobody has it yet.
    """
    await conn.execute(STATEMENTS["drop_sync_members"], tag.channel_id, tag.job_id, tag.tag_id)
    row = await conn.fetchrow(
        STATEMENTS["freeze_sync_members"], tag.channel_id, tag.job_id, tag.tag_id, remove_additions, is_new
    )
    return PlannedCounts(0, 0, 0, 0, 0) if row is None else PlannedCounts(*row)


async def save_counts(conn: Connection, tag: TagSync, action: TagSyncAction, counts: PlannedCounts) -> None:
    """Write how many people the plan of a tag is about."""
    await conn.execute(
        STATEMENTS["save_sync_counts"],
        tag.channel_id,
        tag.job_id,
        tag.tag_id,
        action,
        counts.to_add,
        counts.to_remove,
        counts.unchanged,
        counts.drift,
        counts.known_count,
    )


async def crowded_blocks(conn: Connection, channel_id: int, job_id: int, limit: int) -> list[int]:
    """Return the blocks in which somebody may be about to have more than `limit` remote tags."""
    return [row["block"] for row in await conn.fetch(STATEMENTS["crowded_blocks"], channel_id, job_id, limit)]


async def remote_bits_of_block(conn: Connection, channel_id: int, job_id: int, block: int) -> list[RemoteBits]:
    """Return who of a block has each remote tag, and what a plan changes about that."""
    return [
        RemoteBits(row["tag_id"], _bytes(row["members"]), _bytes(row["to_add"]), _bytes(row["to_remove"]))
        for row in await conn.fetch(STATEMENTS["members_of_block"], channel_id, job_id, block)
    ]


async def spare_from_addition(
    conn: Connection, channel_id: int, job_id: int, tag_id: int, block: int, bitmap: bytes
) -> None:
    """Take people who have no room for another tag out of a plan, and count them so."""
    bits = BitString.frombytes(bitmap, BLOCK_SIZE)
    await conn.execute(STATEMENTS["spare_from_addition"], channel_id, job_id, tag_id, block, bits)


async def removals_by_time(
    conn: Connection, channel_id: int, job_id: int, tag_id: int, since: datetime
) -> list[LostMembers]:
    """Return who is to lose a remote tag, block by block, and why they lost ours since an instant."""
    return [
        LostMembers(
            row["block"],
            row["to_remove"].bytes,
            _bytes(row["by_time"]),
            _bytes(row["otherwise"]),
            row["offsets_by_time"] or (),
            row["offsets_otherwise"] or (),
        )
        for row in await conn.fetch(STATEMENTS["removals_by_time"], channel_id, job_id, tag_id, since)
    ]


async def settle_synced_members(conn: Connection, channel_id: int, tag_id: int) -> None:
    """Record of a tag that was synced what both sides agree on now; the caller holds the link.

    So whoever got the remote tag from others while having ours loses it with ours.
    """
    await conn.execute(STATEMENTS["settle_synced_members"], channel_id, tag_id)


async def frozen_members(
    conn: Connection, channel_id: int, plan: int, tag_id: int, *, removing: bool, start: int, limit: int
) -> list[BlockMembers]:
    """Return the first `limit` blocks from `start` on in which people are to get a remote tag, or to lose it."""
    rows = await conn.fetch(STATEMENTS["frozen_sync_members"], channel_id, plan, tag_id, start, limit, removing)
    return [BlockMembers(row["block"], row["members"].bytes) for row in rows]


async def tags_out_of_sync(
    conn: Connection, channel_id: int, tag_ids: Collection[int], tried_since: datetime, *, failed_too: bool
) -> list[int]:
    """Return which linked tags differ from their remote ones as far as is known, in name or members, ascending.

    A name that the remote tag could not have in a sync after `tried_since` does not count; nor, unless `failed_too`,
    whom such a sync could not tag, except for those who followed or unfollowed since it began.
    """
    rows = await conn.fetch(STATEMENTS["tags_out_of_sync"], channel_id, list(tag_ids), tried_since, failed_too)
    return [row["tag_id"] for row in rows]


def _bytes(bits: BitString | None) -> bytes | None:
    return None if bits is None else bytes(bits.bytes)
