"""Who is in a set, counted and in order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from service.entities.expressions import Expression
from service.storage.combos import fill_expression
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class AudienceSize:
    """Of one instant. `followers` and `touchable` are those of the members who follow, and who can be written to."""

    members: int
    followers: int
    touchable: int


async def audience_size(conn: Connection, channel_id: int, expression: Expression) -> AudienceSize:
    row = await conn.fetchrow(fill_expression(STATEMENTS["audience_size"], expression), channel_id)
    return AudienceSize(0, 0, 0) if row is None else AudienceSize(*row)


async def blocks_of_audience(
    conn: Connection, channel_id: int, expression: Expression, *, start: int, limit: int
) -> list[tuple[int, bytes]]:
    """(block, bitmap) of the first blocks from `start` on that have members, ascending."""
    rows = await conn.fetch(fill_expression(STATEMENTS["blocks_of_audience"], expression), channel_id, start, limit)
    return [(row["block"], row["members"].bytes) for row in rows]


async def tag_overlaps(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """Shared members by (smaller tag id, larger tag id), also of each tag with itself; absent where there are none."""
    rows = await conn.fetch(STATEMENTS["tag_overlaps"], channel_id, list(tag_ids))
    return {(row["a"], row["b"]): row["members"] for row in rows}


async def freeze_audience(conn: Connection, channel_id: int, job_id: int, expression: Expression) -> int:
    """Keeps who is in the set now, for a job; how many they are."""
    return int(await conn.fetchval(fill_expression(STATEMENTS["freeze_audience"], expression), channel_id, job_id))


async def frozen_blocks(
    conn: Connection, channel_id: int, job_id: int, *, start: int, limit: int
) -> list[tuple[int, bytes]]:
    """(block, bitmap) of the first blocks from `start` on, ascending."""
    rows = await conn.fetch(STATEMENTS["frozen_blocks"], channel_id, job_id, start, limit)
    return [(row["block"], row["members"].bytes) for row in rows]


async def export_rows(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> list[asyncpg.Record]:
    """ordinal, openid, unionid, following, followed_at, messaged_at, touchable_until, first_seen_at; by ordinal."""
    return await conn.fetch(STATEMENTS["export_rows"], channel_id, list(ordinals))


async def tag_bits_of_blocks(
    conn: Connection, channel_id: int, blocks: Iterable[int], tag_ids: Iterable[int]
) -> dict[tuple[int, int], bytes]:
    """Bitmaps by block and tag id."""
    rows = await conn.fetch(STATEMENTS["tag_bits_of_blocks"], channel_id, list(blocks), list(tag_ids))
    return {(row["block"], row["tag_id"]): row["members"].bytes for row in rows}


async def insert_export_chunk(
    conn: Connection, channel_id: int, job_id: int, chunk: int, size: int, content: bytes
) -> None:
    """`content` is compressed, `size` its length before."""
    await conn.execute(STATEMENTS["insert_export_chunk"], channel_id, job_id, chunk, size, content)


async def export_chunk(conn: Connection, channel_id: int, job_id: int, chunk: int) -> bytes | None:
    """One compressed piece; None when it is gone."""
    content: bytes | None = await conn.fetchval(STATEMENTS["export_chunk"], channel_id, job_id, chunk)
    return content


async def export_size(conn: Connection, channel_id: int, job_id: int) -> tuple[int, int]:
    """(pieces, bytes before compression)."""
    row = await conn.fetchrow(STATEMENTS["export_size"], channel_id, job_id)
    return (0, 0) if row is None else (row["chunks"], row["bytes"])


async def drop_frozen_audiences(conn: Connection, channel_id: int) -> None:
    """Of jobs that are finished."""
    await conn.execute(STATEMENTS["drop_frozen_audiences"], channel_id)


async def drop_export_chunks(conn: Connection, channel_id: int, now: datetime) -> None:
    """Of files that expired, and of those that were never finished."""
    await conn.execute(STATEMENTS["drop_export_chunks"], channel_id, now)
