"""Store who of a broadcast is in which role, the counts beside, and which broadcast of a channel sends.

Whoever changes roles, chunks or messages has locked the broadcast before, and changes its counts in that transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import BitString

from service.entities.bitmaps import Bitmaps
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.entities.broadcast_ledger import PeopleBlock
from service.entities.broadcasts import PeopleRole, WaitReason
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class CountChanges(NamedTuple):
    """Hold by how much the counts of a broadcast change, and how many chunks it gets."""

    planned: int = 0
    sent: int = 0
    failed: int = 0
    uncertain: int = 0
    chunks: int = 0


class Failure(NamedTuple):
    """Count people who were refused with a code, in WeChat's words."""

    errcode: int
    reason: str
    people: int


async def next_planned(conn: Connection, channel_id: int, job_id: int, *, start: int, most: int) -> dict[int, int]:
    """Return the blocks from `start` on of the next `most` people who are planned, or of all of them, each as a whole.

    The bitmaps are by block, as in `service.entities.bitmaps`.
    """
    rows = await conn.fetch(STATEMENTS["next_planned"], channel_id, job_id, start, most)
    return {row["block"]: to_number(row["members"]) for row in rows}


async def people_of_role(conn: Connection, channel_id: int, job_id: int, role: str) -> dict[int, PeopleBlock]:
    """Return everybody of a role, by block."""
    rows = await conn.fetch(STATEMENTS["people_of_role"], channel_id, job_id, role)
    return {row["block"]: PeopleBlock(to_number(row["members"]), row["forgotten"]) for row in rows}


async def add_people(
    conn: Connection,
    channel_id: int,
    job_id: int,
    people: Mapping[str, Bitmaps] | Mapping[PeopleRole, Bitmaps],
    forgotten: Mapping[str, Mapping[int, int]] | None = None,
) -> None:
    """Add people to roles, `{role: bitmaps}`, and to how many of those were forgotten, `{role: {block: people}}`."""
    added: dict[str, Bitmaps] = {str(role): bitmaps for role, bitmaps in people.items()}
    more = forgotten or {}
    rows = [
        (role, block, to_bits(added.get(role, {}).get(block, 0)), more.get(role, {}).get(block, 0))
        for role in added.keys() | more.keys()
        for block in added.get(role, {}).keys() | more.get(role, {}).keys()
    ]
    if rows:
        await conn.execute(STATEMENTS["add_people"], channel_id, job_id, *map(list, zip(*rows, strict=True)))


async def take_out_people(
    conn: Connection,
    channel_id: int,
    job_id: int,
    role: str,
    people: Bitmaps,
    forgotten: Mapping[int, int] | None = None,
) -> None:
    """Take people out of a role, all of whom are in it, and `{block: people}` who were forgotten."""
    fewer = forgotten or {}
    blocks = sorted(people.keys() | fewer.keys())
    if blocks:
        bits, counts = [to_bits(people.get(each, 0)) for each in blocks], [fewer.get(each, 0) for each in blocks]
        await conn.execute(STATEMENTS["take_out_people"], channel_id, job_id, role, blocks, bits, counts)


async def drop_empty_roles(conn: Connection, channel_id: int, job_id: int, role: str, blocks: Iterable[int]) -> None:
    """Delete the rows of a role that have nobody, among these blocks."""
    await conn.execute(STATEMENTS["drop_empty_roles"], channel_id, job_id, role, list(blocks))


async def change_counts(conn: Connection, channel_id: int, job_id: int, changes: CountChanges) -> None:
    """Add to the counts of a broadcast."""
    if any(changes):
        await conn.execute(STATEMENTS["change_broadcast_counts"], channel_id, job_id, *changes)


async def set_waiting_for(conn: Connection, channel_id: int, job_id: int, reason: WaitReason | None) -> None:
    """Record what a broadcast waits for, None for nothing."""
    await conn.execute(STATEMENTS["set_waiting_for"], channel_id, job_id, reason)


async def count_failures(conn: Connection, channel_id: int, job_id: int, failures: Iterable[Failure]) -> None:
    """Add to how many were refused with each code; each code once."""
    rows = list(failures)
    if rows:
        await conn.execute(STATEMENTS["count_failures"], channel_id, job_id, *map(list, zip(*rows, strict=True)))


async def uncount_failures(conn: Connection, channel_id: int, job_id: int, people: Mapping[int, int]) -> None:
    """Subtract from how many were refused with each code, `{errcode: people}`, since they are planned again."""
    if people:
        counts = list(people.values())
        await conn.execute(STATEMENTS["uncount_failures"], channel_id, job_id, list(people), counts)
        await conn.execute(STATEMENTS["drop_empty_failures"], channel_id, job_id)


async def take_sending_turn(conn: Connection, channel_id: int, job_id: int, now: datetime, until: datetime) -> bool:
    """Let a broadcast send until an instant, or longer; False, and nothing changed, while another of the channel does.

    In a transaction, nobody else takes or ends the turn until that ends.
    """
    taken = await conn.fetchval(STATEMENTS["take_sending_turn"], channel_id, job_id, now, until)
    return taken is not None


async def sending_turn_ends(conn: Connection, channel_id: int) -> datetime | None:
    """Return until when the broadcast that sends has its turn; None if none sends."""
    until: datetime | None = await conn.fetchval(STATEMENTS["sending_turn_ends"], channel_id)
    return until


async def end_sending_turn(conn: Connection, channel_id: int, job_id: int) -> None:
    """Let other broadcasts of the channel send, if it is the turn of this one."""
    await conn.execute(STATEMENTS["end_sending_turn"], channel_id, job_id)


async def openids_by_ordinal(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> dict[int, str]:
    """Return the openids of people, `{ordinal: openid}`; those who were forgotten are absent."""
    rows = await conn.fetch(STATEMENTS["openids_by_ordinal"], channel_id, ordinals)
    return {row["ordinal"]: row["openid"] for row in rows}


async def openids_of_people(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> list[str]:
    """Return the openids of people by ascending ordinal; those who were forgotten are absent."""
    found: list[str] = await conn.fetchval(STATEMENTS["openids_of_people"], channel_id, ordinals)
    return found


def to_bits(members: int) -> BitString:
    """Return the bits of a block as a row holds them."""
    return BitString.frombytes(members.to_bytes(BLOCK_BYTES), BLOCK_SIZE)


def to_number(bits: BitString) -> int:
    """Return the bits of a block, as a row holds them, as a number."""
    return int.from_bytes(bits.bytes)
