"""Read and lock broadcasts; the ledger of what they send has modules of its own."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import Final

import asyncpg
import orjson

from service.entities.broadcasts import Broadcast, MessageKind, WaitReason
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

COLUMNS: Final = tuple(field.name for field in fields(Broadcast))
# Those that are known when a broadcast is made.
INSERTED_COLUMNS: Final = COLUMNS[: COLUMNS.index("waiting_for") + 1]


async def insert_broadcast(conn: Connection, new: Broadcast) -> None:
    """Insert the broadcast of a job that was inserted in this transaction; its counts begin with 0.

    Raises asyncpg.UniqueViolationError where the idempotency key, the token or the run of a series is there already.
    """
    values = {name: getattr(new, name) for name in INSERTED_COLUMNS}
    values["message"] = orjson.dumps(new.message).decode()
    values["repeat"] = None if new.repeat is None else orjson.dumps(new.repeat).decode()
    await conn.execute(STATEMENTS["insert_broadcast"], *values.values())


async def broadcast(conn: Connection, channel_id: int, job_id: int) -> Broadcast | None:
    """Return a broadcast, or None if there is none with this number."""
    return to_broadcast_or_none(await conn.fetchrow(STATEMENTS["broadcast"], channel_id, job_id))


async def broadcasts_with_lost_calls(conn: Connection, claimed_before: datetime) -> list[tuple[int, int]]:
    """Return `(channel_id, job_id)` of those with messages that were claimed so long ago and have no outcome."""
    rows = await conn.fetch(STATEMENTS["broadcasts_with_lost_calls"], claimed_before)
    return [(row["channel_id"], row["job_id"]) for row in rows]


async def lock_broadcast(conn: Connection, channel_id: int, job_id: int) -> Broadcast | None:
    """Lock a broadcast until the transaction ends, and return it; None if there is none with this number."""
    return to_broadcast_or_none(await conn.fetchrow(STATEMENTS["lock_broadcast"], channel_id, job_id))


async def lock_broadcasts(conn: Connection, channel_id: int, job_ids: Iterable[int]) -> None:
    """Lock broadcasts until the transaction ends."""
    await conn.fetch(STATEMENTS["lock_broadcasts"], channel_id, sorted(job_ids))


async def broadcast_with_key(conn: Connection, channel_id: int, key: str) -> Broadcast | None:
    """Return the broadcast that was asked for with an idempotency key, None if none was."""
    return to_broadcast_or_none(await conn.fetchrow(STATEMENTS["broadcast_with_key"], channel_id, key))


async def broadcast_ids_page(
    conn: Connection, channel_id: int, *, before: int, limit: int, series: int | None
) -> list[int]:
    """Return the numbers of at most `limit` broadcasts, or runs of a series, below `before`, newest first."""
    if series is None:
        rows = await conn.fetch(STATEMENTS["broadcast_ids_page"], channel_id, before, limit)
    else:
        rows = await conn.fetch(STATEMENTS["run_ids_page"], channel_id, series, before, limit)
    return [row["job_id"] for row in rows]


async def broadcasts_by_id(conn: Connection, channel_id: int, job_ids: Iterable[int]) -> dict[int, Broadcast]:
    """Return broadcasts by their numbers, `{job_id: broadcast}`; unknown ones are absent."""
    rows = await conn.fetch(STATEMENTS["broadcasts_by_id"], channel_id, list(job_ids))
    return {row["job_id"]: to_broadcast(row) for row in rows}


def to_broadcast(row: asyncpg.Record) -> Broadcast:
    """Return the broadcast that a row of its table holds."""
    values = {name: row[name] for name in COLUMNS}
    values |= {
        "kind": MessageKind(row["kind"]),
        "message": orjson.loads(row["message"]),
        "repeat": None if row["repeat"] is None else orjson.loads(row["repeat"]),
        "waiting_for": None if row["waiting_for"] is None else WaitReason(row["waiting_for"]),
    }
    return Broadcast(**values)


def to_broadcast_or_none(row: asyncpg.Record | None) -> Broadcast | None:
    """Return the broadcast that a row holds, None for no row."""
    return None if row is None else to_broadcast(row)
