"""Read and lock broadcasts; the ledger of what they send has modules of its own."""

from dataclasses import fields

import asyncpg
import orjson

from service.entities.broadcasts import Broadcast, MessageKind, WaitReason
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

COLUMNS = tuple(field.name for field in fields(Broadcast))


async def broadcast(conn: Connection, channel_id: int, job_id: int) -> Broadcast | None:
    """Return a broadcast, or None if there is none with this number."""
    return to_broadcast_or_none(await conn.fetchrow(STATEMENTS["broadcast"], channel_id, job_id))


async def lock_broadcast(conn: Connection, channel_id: int, job_id: int) -> Broadcast | None:
    """Lock a broadcast until the transaction ends, and return it; None if there is none with this number."""
    return to_broadcast_or_none(await conn.fetchrow(STATEMENTS["lock_broadcast"], channel_id, job_id))


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
