"""Count sets of people, list them by block, freeze them for a job, and keep exported files."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg

from service.entities.expressions import Expression
from service.storage.combos import fill_expression
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class AudienceSize:
    """Hold counts of one instant; `followers` and `touchable` are the members who follow and who are touchable."""

    members: int
    followers: int
    touchable: int


class BlockMembers(NamedTuple):
    """Hold the members of a set in one block, as a bitmap."""

    block: int
    members: bytes


class ExportChunk(NamedTuple):
    """Hold one compressed piece of an exported file."""

    job_id: int
    chunk: int
    content: bytes


class ExportSize(NamedTuple):
    """Hold how large an exported file is: in pieces, and in bytes before compression."""

    chunks: int
    size: int


async def audience_size(conn: Connection, channel_id: int, expression: Expression) -> AudienceSize:
    """Count the members of a set, and those of them who follow and who are touchable."""
    row = await conn.fetchrow(fill_expression(STATEMENTS["audience_size"], expression), channel_id)
    return AudienceSize(0, 0, 0) if row is None else AudienceSize(*row)


async def blocks_of_audience(
    conn: Connection, channel_id: int, expression: Expression, *, start: int, limit: int
) -> list[BlockMembers]:
    """Return the first `limit` blocks from `start` on in which the set has members, ascending."""
    rows = await conn.fetch(fill_expression(STATEMENTS["blocks_of_audience"], expression), channel_id, start, limit)
    return [BlockMembers(row["block"], row["members"].bytes) for row in rows]


async def tag_overlaps(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """Count the members each two tags share, `{(smaller tag id, larger tag id): members}`, each tag with itself too.

    Pairs that share no members are absent.
    """
    rows = await conn.fetch(STATEMENTS["tag_overlaps"], channel_id, list(tag_ids))
    return {(row["a"], row["b"]): row["members"] for row in rows}


async def freeze_audience(conn: Connection, channel_id: int, job_id: int, expression: Expression) -> int:
    """Store who is in the set now, for a job, and return how many they are."""
    return int(await conn.fetchval(fill_expression(STATEMENTS["freeze_audience"], expression), channel_id, job_id))


async def frozen_blocks(
    conn: Connection, channel_id: int, job_id: int, *, start: int, limit: int
) -> list[BlockMembers]:
    """Return the first `limit` blocks from `start` on in which the frozen audience of a job has members, ascending."""
    rows = await conn.fetch(STATEMENTS["frozen_blocks"], channel_id, job_id, start, limit)
    return [BlockMembers(row["block"], row["members"].bytes) for row in rows]


async def export_rows(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> list[asyncpg.Record]:
    """Return what a file says of these people, by ordinal.

    Columns: ordinal, openid, unionid, following, followed_at, messaged_at, touchable_until, first_seen_at.
    """
    return await conn.fetch(STATEMENTS["export_rows"], channel_id, list(ordinals))


async def tag_bits_of_blocks(
    conn: Connection, channel_id: int, blocks: Iterable[int], tag_ids: Iterable[int]
) -> dict[tuple[int, int], bytes]:
    """Return the bitmaps of tags in blocks, `{(block, tag_id): bitmap}`; absent where no user ever had the tag."""
    rows = await conn.fetch(STATEMENTS["tag_bits_of_blocks"], channel_id, list(blocks), list(tag_ids))
    return {(row["block"], row["tag_id"]): row["members"].bytes for row in rows}


async def insert_export_chunk(
    conn: Connection, channel_id: int, job_id: int, chunk: int, size: int, content: bytes, first_block: int
) -> None:
    """Insert a piece of an exported file: `content` is compressed, `size` its length in bytes before.

    `first_block` is the block of its first people.
    """
    await conn.execute(STATEMENTS["insert_export_chunk"], channel_id, job_id, chunk, size, content, first_block)


async def lock_exports(conn: Connection, channel_id: int, now: datetime) -> list[int]:
    """Lock the exports that are being written or can be downloaded at `now`, and return the ids of their jobs."""
    rows = await conn.fetch(STATEMENTS["lock_exports"], channel_id, now)
    return [row["job_id"] for row in rows]


async def chunks_with_block(conn: Connection, channel_id: int, job_ids: Iterable[int], block: int) -> list[ExportChunk]:
    """Return the pieces of the files of some jobs that may hold people of a block."""
    rows = await conn.fetch(STATEMENTS["chunks_with_block"], channel_id, list(job_ids), block)
    return [ExportChunk(*row) for row in rows]


async def replace_export_chunk(
    conn: Connection, channel_id: int, chunk: ExportChunk, size: int, fewer_rows: int
) -> None:
    """Replace a piece by one with `fewer_rows` less; the job counts them no more. `size` is its length before."""
    await conn.execute(
        STATEMENTS["replace_export_chunk"], channel_id, chunk.job_id, chunk.chunk, size, chunk.content, fewer_rows
    )


async def export_chunk(conn: Connection, channel_id: int, job_id: int, chunk: int) -> bytes | None:
    """Return one compressed piece of an exported file, or None when it is gone."""
    content: bytes | None = await conn.fetchval(STATEMENTS["export_chunk"], channel_id, job_id, chunk)
    return content


async def export_size(conn: Connection, channel_id: int, job_id: int) -> ExportSize:
    """Return how many pieces an exported file has, and its length in bytes before compression."""
    row = await conn.fetchrow(STATEMENTS["export_size"], channel_id, job_id)
    return ExportSize(0, 0) if row is None else ExportSize(row["chunks"], row["bytes"])


async def drop_frozen_audiences(conn: Connection, channel_id: int) -> None:
    """Delete the frozen audiences of finished jobs."""
    await conn.execute(STATEMENTS["drop_frozen_audiences"], channel_id)


async def drop_leftovers_of_job(conn: Connection, channel_id: int, job_id: int) -> None:
    """Delete what a finished job needs no more: its frozen audience, whom it saw, and its file unless it is done."""
    await conn.execute(STATEMENTS["drop_leftovers_of_job"], channel_id, job_id)


async def drop_export_chunks(conn: Connection, channel_id: int, now: datetime) -> None:
    """Delete files that expired by `now`, and pieces of files whose job failed or was cancelled."""
    await conn.execute(STATEMENTS["drop_export_chunks"], channel_id, now)
