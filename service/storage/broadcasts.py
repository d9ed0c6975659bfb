"""Read and lock broadcasts; the ledger of what they send has modules of its own."""

from collections.abc import Iterable
from dataclasses import fields
from datetime import datetime
from typing import NamedTuple

import asyncpg
import orjson

from service.entities.broadcasts import Broadcast, MessageKind, WaitReason
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

COLUMNS = tuple(field.name for field in fields(Broadcast))


class ReceivableBroadcast(NamedTuple):
    """Hold what a broadcast is called of which it is kept who received it, and when it started."""

    name: str | None
    start_at: datetime


async def broadcast(conn: Connection, channel_id: int, job_id: int) -> Broadcast | None:
    """Return a broadcast, or None if there is none with this number."""
    return to_broadcast_or_none(await conn.fetchrow(STATEMENTS["broadcast"], channel_id, job_id))


async def lock_broadcast(conn: Connection, channel_id: int, job_id: int) -> Broadcast | None:
    """Lock a broadcast until the transaction ends, and return it; None if there is none with this number."""
    return to_broadcast_or_none(await conn.fetchrow(STATEMENTS["lock_broadcast"], channel_id, job_id))


async def receivable_broadcasts(
    conn: Connection, channel_id: int, job_ids: Iterable[int], since: datetime
) -> dict[int, ReceivableBroadcast]:
    """Return those of these broadcasts that are unfinished or finished after `since`, by number."""
    rows = await conn.fetch(STATEMENTS["receivable_broadcasts"], channel_id, list(job_ids), since)
    return {row["job_id"]: ReceivableBroadcast(row["name"], row["start_at"]) for row in rows}


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
