"""Whom batches in force hold, beside the bitmaps of their tags."""

from collections.abc import Iterable, Mapping, Sequence

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.entities.return_data import Support
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def bits_of_tags(
    conn: Connection, channel_id: int, tag_ids: Iterable[int], blocks: Iterable[int]
) -> dict[tuple[int, int], bytes]:
    """Bitmaps by (tag id, block) in locked blocks; absent where nobody ever had the tag."""
    rows = await conn.fetch(STATEMENTS["bits_of_tags"], channel_id, list(tag_ids), list(blocks))
    return {(row["tag_id"], row["block"]): row["members"].bytes for row in rows}


async def blocks_of_tag(conn: Connection, channel_id: int, tag_id: int) -> list[int]:
    return [row["block"] for row in await conn.fetch(STATEMENTS["blocks_of_tag"], channel_id, tag_id)]


async def insert_support(conn: Connection, channel_id: int, rows: Sequence[Support]) -> None:
    await conn.execute(
        STATEMENTS["insert_support"],
        channel_id,
        [row.tag_id for row in rows],
        [row.place for row in rows],
        [row.batch_id for row in rows],
        [None if row.ordinals is None else "{" + ",".join(map(str, row.ordinals)) + "}" for row in rows],
        [None if row.members is None else BitString.frombytes(row.members, BLOCK_SIZE) for row in rows],
    )


async def support_of_batches(
    conn: Connection, channel_id: int, tag_id: int, places: Iterable[int], batch_ids: Iterable[int]
) -> list[Support]:
    """What these batches hold there."""
    rows = await conn.fetch(STATEMENTS["support_of_batches"], channel_id, tag_id, list(places), list(batch_ids))
    return [
        Support(
            tag_id,
            row["place"],
            row["batch_id"],
            None if row["ordinals"] is None else tuple(row["ordinals"]),
            None if row["members"] is None else row["members"].bytes,
        )
        for row in rows
    ]


async def support_of_block(conn: Connection, channel_id: int, places: Iterable[int]) -> list[Support]:
    """What all batches of living tags hold there, whichever they are."""
    rows = await conn.fetch(STATEMENTS["support_of_block"], channel_id, list(places))
    return [
        Support(
            row["tag_id"],
            0,
            0,
            None if row["ordinals"] is None else tuple(row["ordinals"]),
            None if row["members"] is None else row["members"].bytes,
        )
        for row in rows
    ]


async def return_bits_of_block(conn: Connection, channel_id: int, block: int) -> dict[int, bytes]:
    """Bitmaps of the living return tags of a locked block."""
    rows = await conn.fetch(STATEMENTS["return_bits_of_block"], channel_id, block)
    return {row["tag_id"]: row["members"].bytes for row in rows}


async def people_at(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> set[int]:
    """Those of these ordinals that somebody has."""
    return {row["ordinal"] for row in await conn.fetch(STATEMENTS["people_at"], channel_id, list(ordinals))}


async def held_elsewhere(
    conn: Connection,
    channel_id: int,
    tag_id: int,
    places: Iterable[int],
    ordinals: Iterable[int],
    batch_ids: Iterable[int],
) -> set[int]:
    """Which of these people batches other than these hold."""
    rows = await conn.fetch(
        STATEMENTS["held_elsewhere"], channel_id, tag_id, list(places), list(ordinals), list(batch_ids)
    )
    return {row["ordinal"] for row in rows}


async def drop_support(
    conn: Connection, channel_id: int, tag_id: int, places: Iterable[int], batch_ids: Iterable[int]
) -> None:
    await conn.execute(STATEMENTS["drop_support"], channel_id, tag_id, list(places), list(batch_ids))


async def drop_support_of_tag(conn: Connection, channel_id: int, tag_id: int) -> None:
    await conn.execute(STATEMENTS["drop_support_of_tag"], channel_id, tag_id)


async def take_out(
    conn: Connection, channel_id: int, tag_id: int, places: Iterable[int], offsets: Mapping[int, Sequence[int]]
) -> None:
    """Takes people, given as offsets by locked block, out of every batch of a tag."""
    ordinals = [block * BLOCK_SIZE + offset for block, those in offsets.items() for offset in those]
    bits = [BitString.frombytes(bitmap_of(those), BLOCK_SIZE) for those in offsets.values()]
    await conn.execute(STATEMENTS["take_out_of_lists"], channel_id, tag_id, list(places), ordinals)
    await conn.execute(STATEMENTS["take_out_of_bits"], channel_id, tag_id, list(offsets), bits)
    await conn.execute(STATEMENTS["drop_empty_support"], channel_id, tag_id, list(places))


async def fold_support(conn: Connection, channel_id: int, tag_id: int, members: Mapping[int, bytes]) -> None:
    """Adds bitmaps by block to those who are held for good."""
    bits = [BitString.frombytes(those, BLOCK_SIZE) for those in members.values()]
    await conn.execute(STATEMENTS["fold_support"], channel_id, tag_id, list(members), bits)


async def forget_people(
    conn: Connection, channel_id: int, places: Iterable[int], offsets: Mapping[int, Sequence[int]]
) -> None:
    """Takes people, given as offsets by locked block, out of every batch of every tag."""
    ordinals = [block * BLOCK_SIZE + offset for block, those in offsets.items() for offset in those]
    bits = [BitString.frombytes(bitmap_of(those), BLOCK_SIZE) for those in offsets.values()]
    await conn.execute(STATEMENTS["forget_in_lists"], channel_id, list(places), ordinals)
    await conn.execute(STATEMENTS["forget_in_bits"], channel_id, list(offsets), bits)
