"""Store the chunks of mass broadcasts: who is in each, and what became of its call.

The caller has locked the broadcast, and changes its counts and roles in the same transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta

import asyncpg

from service.entities.broadcast_ledger import Chunk, Outcome, PeopleBlock
from service.entities.broadcasts import SendState
from service.storage.broadcasts.broadcast_ledger import to_bits, to_number
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

COLUMNS = tuple(field.name for field in fields(Chunk))


async def insert_chunk(
    conn: Connection,
    channel_id: int,
    job_id: int,
    chunk: int,
    client_id: str,
    people: Mapping[int, PeopleBlock],
    *,
    claimed_at: datetime,
    counted_on: date | None,
    media_id: str | None = None,
    remote_tag_id: int | None = None,
) -> None:
    """Insert a chunk, CLAIMED, with its people by block; with which draft, and to which remote tag, it is sent."""
    count = sum(each.members.bit_count() + each.forgotten for each in people.values())
    await conn.execute(
        STATEMENTS["insert_chunk"],
        *(channel_id, job_id, chunk, client_id, count, claimed_at, counted_on, media_id, remote_tag_id),
    )
    bits, forgotten = [to_bits(each.members) for each in people.values()], [each.forgotten for each in people.values()]
    await conn.execute(STATEMENTS["insert_chunk_blocks"], channel_id, job_id, chunk, list(people), bits, forgotten)


async def chunk(conn: Connection, channel_id: int, job_id: int, number: int) -> Chunk | None:
    """Return a chunk, None if there is none with this number."""
    return _chunk_or_none(await conn.fetchrow(STATEMENTS["chunk"], channel_id, job_id, number))


async def open_chunks(conn: Connection, channel_id: int, job_id: int) -> list[Chunk]:
    """Return the chunks whose outcome is not known and whose people were not planned again, oldest first."""
    return [_chunk(row) for row in await conn.fetch(STATEMENTS["open_chunks"], channel_id, job_id)]


async def unknown_chunks(conn: Connection, channel_id: int, job_id: int, *, within: timedelta) -> list[Chunk]:
    """Return the chunks without a known outcome that were claimed so lately by the clock of the database.

    Those whose people were planned again are left out; the oldest comes first.
    """
    return [_chunk(row) for row in await conn.fetch(STATEMENTS["unknown_chunks"], channel_id, job_id, within)]


async def refused_chunks(conn: Connection, channel_id: int, job_id: int, errcodes: Iterable[int]) -> list[Chunk]:
    """Return the chunks that were refused with one of these codes, and whose people were not planned again."""
    rows = await conn.fetch(STATEMENTS["refused_chunks"], channel_id, job_id, list(errcodes))
    return [_chunk(row) for row in rows]


async def people_of_chunk(conn: Connection, channel_id: int, job_id: int, number: int) -> dict[int, PeopleBlock]:
    """Return who is in a chunk, by block."""
    rows = await conn.fetch(STATEMENTS["chunk_blocks"], channel_id, job_id, number)
    return {row["block"]: PeopleBlock(to_number(row["members"]), row["forgotten"]) for row in rows}


async def settle_chunk(
    conn: Connection, channel_id: int, job_id: int, number: int, outcome: Outcome, now: datetime, *, conclusive: bool
) -> Chunk | None:
    """Record the outcome of a chunk and return it; None, and nothing changed, where the outcome is known by now.

    Of a chunk whose call was repeated, refusals are recorded only if they are `conclusive`.
    """
    row = await conn.fetchrow(
        STATEMENTS["settle_chunk"],
        channel_id,
        job_id,
        number,
        outcome.state,
        now,
        outcome.errcode,
        outcome.reason,
        outcome.msg_id,
        conclusive,
    )
    return _chunk_or_none(row)


async def lock_chunk_not_sent(conn: Connection, channel_id: int, job_id: int, number: int) -> Chunk | None:
    """Lock a chunk whose only call is known not to have sent.

    None where others have called, or know the outcome, and where the broadcast is DONE.
    """
    return _chunk_or_none(await conn.fetchrow(STATEMENTS["lock_chunk_not_sent"], channel_id, job_id, number))


async def delete_chunk(conn: Connection, channel_id: int, job_id: int, number: int) -> None:
    """Delete a chunk that was not sent."""
    await conn.execute(STATEMENTS["delete_chunk"], channel_id, job_id, number)


async def replan_chunk(conn: Connection, channel_id: int, job_id: int, number: int, now: datetime) -> Chunk | None:
    """Record that the people of a chunk are planned again, or in other chunks; None if they were so before."""
    return _chunk_or_none(await conn.fetchrow(STATEMENTS["replan_chunk"], channel_id, job_id, number, now))


async def repeat_chunk(conn: Connection, channel_id: int, job_id: int, number: int, now: datetime) -> None:
    """Record that somebody sets out to call again with the id of an UNKNOWN chunk."""
    await conn.execute(STATEMENTS["repeat_chunk"], channel_id, job_id, number, now)


def _chunk_or_none(row: asyncpg.Record | None) -> Chunk | None:
    return None if row is None else _chunk(row)


def _chunk(row: asyncpg.Record) -> Chunk:
    values = {name: row[name] for name in COLUMNS}
    return Chunk(**values | {"state": SendState(row["state"])})
