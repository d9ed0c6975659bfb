"""Store the chain of each robot's audit log: number and hash its entries, read them in order, delete the oldest."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from service.entities.audit import AuditEntry, AuditOutcome
from service.entities.audit_chain import ChainEnds, LoggedEntry
from service.entities.principal import RequestOrigin
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class DueBefore(NamedTuple):
    """Say what is due to be sealed: acts from before `at`, refusals of minutes before `minute`, all after `ahead`."""

    at: datetime
    minute: datetime
    ahead: datetime


class Seal(NamedTuple):
    """Hold the number and hash that an entry is given."""

    channel_id: int
    entry_id: int
    number: int
    hash: bytes


async def channels_with_unsealed_entries(conn: Connection, due: DueBefore) -> dict[str, list[int]]:
    """Return the channels that have something to seal, by robot, of all robots."""
    found: dict[str, list[int]] = defaultdict(list)
    for row in await conn.fetch(STATEMENTS["channels_with_unsealed_entries"], *due):
        found[row["robot_id"]].append(row["channel_id"])
    return found


async def oldest_unsealed_entry(conn: Connection) -> datetime | None:
    """Return the time of the oldest entry of all robots that is not sealed, None where all are."""
    found: datetime | None = await conn.fetchval(STATEMENTS["oldest_unsealed_entry"])
    return found


async def count_unsealed_entries(conn: Connection, channel_ids: Sequence[int], before: datetime) -> int:
    """Count the entries of some channels that are not sealed and older than an instant."""
    counts = [
        await conn.fetchval(STATEMENTS["count_unsealed_entries"], channel_id, before) for channel_id in channel_ids
    ]
    return sum(counts)


async def chain_ends(conn: Connection, home: int) -> ChainEnds:
    """Return the ends of the chain that is kept in a channel; those of an empty one if none is."""
    return _ends(home, await conn.fetchrow(STATEMENTS["audit_chain"], home))


async def begin_chain(conn: Connection, home: int) -> None:
    """Begin the chain of a home channel unless it has one; outside a transaction, so that nobody waits for its end."""
    await conn.execute(STATEMENTS["begin_audit_chain"], home)


async def lock_chain(conn: Connection, home: int) -> ChainEnds | None:
    """Lock a chain until the transaction ends, and return its ends.

    None while another transaction has it locked, and where there is none.
    """
    row = await conn.fetchrow(STATEMENTS["lock_audit_chain"], home)
    return None if row is None else _ends(home, row)


async def lock_unsealed_entries(conn: Connection, channel_id: int, due: DueBefore, limit: int) -> list[LoggedEntry]:
    """Lock the oldest entries of a channel that are due, and return them; what others have locked is left out."""
    return [logged_entry(row) for row in await conn.fetch(STATEMENTS["lock_unsealed_entries"], channel_id, *due, limit)]


async def seal_entries(conn: Connection, seals: Sequence[Seal]) -> None:
    """Write numbers and hashes of locked entries. Raises LookupError if one is gone, or sealed already."""
    by_channel: dict[int, list[Seal]] = defaultdict(list)
    for seal in seals:
        by_channel[seal.channel_id].append(seal)
    for channel_id, each in by_channel.items():
        _, ids, numbers, hashes = zip(*each, strict=True)
        done = await conn.execute(STATEMENTS["seal_entries"], channel_id, ids, numbers, hashes)
        if _count(done) != len(each):
            raise LookupError("an entry is gone, or was sealed by somebody else")


async def advance_chain(conn: Connection, home: int, number: int, last_hash: bytes) -> None:
    """Record the last entry of a locked chain."""
    await conn.execute(STATEMENTS["advance_audit_chain"], home, number, last_hash)


async def sealed_entries(conn: Connection, channel_id: int, after: int, last: int) -> list[LoggedEntry]:
    """Return the entries of a channel with numbers above `after` and up to `last`."""
    return [logged_entry(row) for row in await conn.fetch(STATEMENTS["sealed_entries"], channel_id, after, last)]


async def first_number_after(conn: Connection, channel_ids: Sequence[int], after: int) -> int | None:
    """Return the lowest number above `after` that an entry of these channels has, None where none has."""
    found = [await conn.fetchval(STATEMENTS["first_number_after"], channel_id, after) for channel_id in channel_ids]
    return min((number for number in found if number is not None), default=None)


async def foreign_numbers(conn: Connection, ends: ChainEnds, channel_id: int, limit: int) -> list[int]:
    """Return at most `limit` numbers of a channel that lie outside the ends of its chain."""
    rows = await conn.fetch(STATEMENTS["foreign_numbers"], channel_id, ends.base_number, ends.last_number, limit)
    return [number for (number,) in rows]


async def delete_sealed_entries(
    conn: Connection, ends: ChainEnds, channel_ids: Sequence[int], number: int, number_hash: bytes
) -> None:
    """Delete the entries of a locked chain up to a number, whose hash stays as that of the chain's base.

    Raises LookupError if they are not as many as the numbers are.
    """
    gone = 0
    for channel_id in channel_ids:
        gone += _count(await conn.execute(STATEMENTS["delete_sealed_entries"], channel_id, number))
    if gone != number - ends.base_number:
        raise LookupError("the entries are not those that the chain has")
    await conn.execute(STATEMENTS["move_audit_base"], ends.home, number, number_hash)


def logged_entry(row: asyncpg.Record) -> LoggedEntry:
    """Return the entry that a row of its table holds."""
    entry = AuditEntry(
        channel_id=row["channel_id"],
        entry_id=row["entry_id"],
        robot_id=row["robot_id"],
        at=row["at"],
        subject=row["subject"],
        role=row["role"],
        action=row["action"],
        outcome=AuditOutcome(row["outcome"]),
        origin=RequestOrigin(row["request_id"], row["client_address"]),
        target_id=row["target_id"],
        detail=row["detail"],
        error_code=row["error_code"],
        before=row["before"],
        after=row["after"],
        count=row["count"],
        minute=row["minute"],
    )
    return LoggedEntry(entry, row["number"], row["hash"])


def _ends(home: int, row: asyncpg.Record | None) -> ChainEnds:
    if row is None:
        return ChainEnds(home)
    return ChainEnds(home, row["last_number"], row["last_hash"], row["base_number"], row["base_hash"])


def _count(status: str) -> int:
    return int(status.rpartition(" ")[2])
