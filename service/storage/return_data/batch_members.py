"""Store the people that batches in force hold, beside the bitmaps of their tags."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.entities.return_data import BatchMembers
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class HeldMembers(NamedTuple):
    """Hold people whom a batch of a tag holds, as ordinals or as the bitmap of one block."""

    tag_id: int
    ordinals: tuple[int, ...] | None
    members: bytes | None


async def bits_of_tags(
    conn: Connection, channel_id: int, tag_ids: Iterable[int], blocks: Iterable[int]
) -> dict[tuple[int, int], bytes]:
    """Return the bitmaps of tags in locked blocks, `{(tag_id, block): bitmap}`; absent where no user had the tag."""
    rows = await conn.fetch(STATEMENTS["bits_of_tags"], channel_id, list(tag_ids), list(blocks))
    return {(row["tag_id"], row["block"]): row["members"].bytes for row in rows}


async def blocks_of_tag(conn: Connection, channel_id: int, tag_id: int) -> list[int]:
    """Return the blocks in which a user has or had a tag, ascending."""
    return [row["block"] for row in await conn.fetch(STATEMENTS["blocks_of_tag"], channel_id, tag_id)]


async def insert_batch_members(conn: Connection, channel_id: int, rows: Sequence[BatchMembers]) -> None:
    """Insert the people that new batches hold."""
    await conn.execute(
        STATEMENTS["insert_batch_members"],
        channel_id,
        [row.key_id for row in rows],
        [row.slot for row in rows],
        [row.batch_id for row in rows],
        [None if row.ordinals is None else "{" + ",".join(map(str, row.ordinals)) + "}" for row in rows],
        [None if row.members is None else BitString.frombytes(row.members, BLOCK_SIZE) for row in rows],
    )


async def members_of_batches(
    conn: Connection, channel_id: int, key_id: int, slot_numbers: Iterable[int], batch_ids: Iterable[int]
) -> list[BatchMembers]:
    """Return the people that these batches, which came by one key, hold in these slots."""
    rows = await conn.fetch(STATEMENTS["members_of_batches"], channel_id, key_id, list(slot_numbers), list(batch_ids))
    return [
        BatchMembers(
            key_id,
            row["place"],
            row["batch_id"],
            None if row["ordinals"] is None else tuple(row["ordinals"]),
            None if row["members"] is None else row["members"].bytes,
        )
        for row in rows
    ]


async def batch_members_by_keys(
    conn: Connection, channel_id: int, key_ids: Iterable[int], slot_numbers: Iterable[int]
) -> list[BatchMembers]:
    """Return the people whom all batches by these keys hold in these slots."""
    rows = await conn.fetch(STATEMENTS["batch_members_by_keys"], channel_id, list(key_ids), list(slot_numbers))
    return [
        BatchMembers(
            row["tag_id"],
            row["place"],
            row["batch_id"],
            None if row["ordinals"] is None else tuple(row["ordinals"]),
            None if row["members"] is None else row["members"].bytes,
        )
        for row in rows
    ]


async def batch_members_of_block(conn: Connection, channel_id: int, slot_numbers: Iterable[int]) -> list[HeldMembers]:
    """Return the people that all batches of living tags hold in these slots, by the tags that have them."""
    rows = await conn.fetch(STATEMENTS["batch_members_of_block"], channel_id, list(slot_numbers))
    return [
        HeldMembers(
            row["tag_id"],
            None if row["ordinals"] is None else tuple(row["ordinals"]),
            None if row["members"] is None else row["members"].bytes,
        )
        for row in rows
    ]


async def return_bits_of_block(conn: Connection, channel_id: int, block: int) -> dict[int, bytes]:
    """Return the bitmaps of the living return tags of a locked block, `{tag_id: bitmap}`."""
    rows = await conn.fetch(STATEMENTS["return_bits_of_block"], channel_id, block)
    return {row["tag_id"]: row["members"].bytes for row in rows}


async def existing_ordinals(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> set[int]:
    """Return those of these ordinals that a user has."""
    return {row["ordinal"] for row in await conn.fetch(STATEMENTS["existing_ordinals"], channel_id, list(ordinals))}


async def held_by_other_batches(
    conn: Connection,
    channel_id: int,
    key_ids: Iterable[int],
    slot_numbers: Iterable[int],
    ordinals: Iterable[int],
    batch_ids: Iterable[int],
) -> set[int]:
    """Return those of these ordinals that are held by batches by these keys other than `batch_ids`."""
    keys, slots = list(key_ids), list(slot_numbers)
    rows = await conn.fetch(
        STATEMENTS["held_by_other_batches"], channel_id, keys, slots, list(ordinals), list(batch_ids)
    )
    return {row["ordinal"] for row in rows}


async def delete_batch_members(
    conn: Connection, channel_id: int, key_id: int, slot_numbers: Iterable[int], batch_ids: Iterable[int]
) -> None:
    """Delete the people that these batches, which came by one key, hold in these slots."""
    await conn.execute(STATEMENTS["delete_batch_members"], channel_id, key_id, list(slot_numbers), list(batch_ids))


async def delete_batch_members_of_key(conn: Connection, channel_id: int, key_id: int) -> None:
    """Delete the people that all batches by a key hold."""
    await conn.execute(STATEMENTS["delete_batch_members_of_key"], channel_id, key_id)


async def remove_from_batches(
    conn: Connection,
    channel_id: int,
    key_ids: Iterable[int],
    slot_numbers: Iterable[int],
    offsets: Mapping[int, Sequence[int]],
) -> None:
    """Remove people, `{locked block: offsets}`, from every batch by these keys."""
    keys = list(key_ids)
    ordinals = [block * BLOCK_SIZE + offset for block, those in offsets.items() for offset in those]
    bits = [BitString.frombytes(bitmap_of(those), BLOCK_SIZE) for those in offsets.values()]
    await conn.execute(STATEMENTS["remove_from_batch_lists"], channel_id, keys, list(slot_numbers), ordinals)
    await conn.execute(STATEMENTS["remove_from_batch_bitmaps"], channel_id, keys, list(offsets), bits)
    await conn.execute(STATEMENTS["delete_empty_batch_members"], channel_id, keys, list(slot_numbers))


async def add_settled_members(conn: Connection, channel_id: int, key_id: int, members: Mapping[int, bytes]) -> None:
    """Add bitmaps, `{block: bitmap}`, to the people by a key who are held for good."""
    bits = [BitString.frombytes(those, BLOCK_SIZE) for those in members.values()]
    await conn.execute(STATEMENTS["add_settled_members"], channel_id, key_id, list(members), bits)


async def remove_from_all_batches(
    conn: Connection, channel_id: int, slot_numbers: Iterable[int], offsets: Mapping[int, Sequence[int]]
) -> None:
    """Remove people, `{locked block: offsets}`, from every batch of every tag."""
    ordinals = [block * BLOCK_SIZE + offset for block, those in offsets.items() for offset in those]
    bits = [BitString.frombytes(bitmap_of(those), BLOCK_SIZE) for those in offsets.values()]
    await conn.execute(STATEMENTS["remove_from_all_batch_lists"], channel_id, list(slot_numbers), ordinals)
    await conn.execute(STATEMENTS["remove_from_all_batch_bitmaps"], channel_id, list(offsets), bits)
