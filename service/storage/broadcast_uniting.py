"""Let what broadcasts keep of people be kept of others, who turn out to be the same."""

from collections import defaultdict
from collections.abc import Collection, Mapping

from service.entities.bitmaps import bitmaps_of
from service.storage.broadcast_ledger import to_bits
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def lock_broadcasts_of_people(conn: Connection, channel_id: int, ordinals: Collection[int]) -> list[int]:
    """Lock the broadcasts that have somebody of these people in their audience, and return their numbers."""
    rows = await conn.fetch(STATEMENTS["broadcasts_of_people"], channel_id, list(ordinals))
    job_ids = [row["job_id"] for row in rows]
    if job_ids:
        await conn.fetch(STATEMENTS["lock_broadcasts"], channel_id, job_ids)
    return job_ids


async def roles_of_people(
    conn: Connection, channel_id: int, job_ids: Collection[int], ordinals: Collection[int]
) -> dict[int, dict[int, list[str]]]:
    """Return which roles people have in broadcasts, `{job_id: {ordinal: roles}}`."""
    found: dict[int, dict[int, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in await conn.fetch(STATEMENTS["roles_of_people"], channel_id, list(job_ids), list(ordinals)):
        found[row["job_id"]][row["ordinal"]].append(row["role"])
    return found


async def chunks_of_people(
    conn: Connection, channel_id: int, job_id: int, ordinals: Collection[int]
) -> dict[int, set[int]]:
    """Return which chunks of a broadcast people are in, `{ordinal: chunks}`."""
    found: dict[int, set[int]] = defaultdict(set)
    for row in await conn.fetch(STATEMENTS["chunks_of_people"], channel_id, job_id, list(ordinals)):
        found[row["ordinal"]].add(row["chunk"])
    return found


async def leave_chunk(
    conn: Connection, channel_id: int, job_id: int, chunk: int, ordinal: int, *, forgotten: bool
) -> None:
    """Take a person out of a chunk, `forgotten` if the chunk keeps the number of its people."""
    await conn.execute(STATEMENTS["leave_chunk"], channel_id, job_id, chunk, ordinal, int(forgotten))


async def join_chunk(conn: Connection, channel_id: int, job_id: int, chunk: int, ordinal: int) -> None:
    """Put a person into a chunk."""
    await conn.execute(STATEMENTS["join_chunk"], channel_id, job_id, chunk, ordinal)


async def move_sends(conn: Connection, channel_id: int, job_id: int, newer: int, older: int) -> None:
    """Let the messages of a broadcast to a person be to another, after those that this one got before."""
    await conn.execute(STATEMENTS["move_sends"], channel_id, job_id, newer, older)


async def forget_sends(conn: Connection, channel_id: int, job_id: int, ordinal: int) -> None:
    """Leave of the messages of a broadcast to a person only what became of them."""
    await conn.execute(STATEMENTS["forget_sends"], channel_id, [job_id], [ordinal])


async def unite_beside_ledgers(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Give people what others allowed, that those are blacklisted, and results about them, `{others: people}`."""
    newer, older = list(older_of), list(older_of.values())
    await conn.execute(STATEMENTS["unite_consents"], channel_id, newer, older)
    await conn.execute(STATEMENTS["forget_consents"], channel_id, newer)
    await conn.execute(STATEMENTS["unite_blacklisted"], channel_id, newer, older)
    for block, people in bitmaps_of(newer).items():
        await conn.execute(STATEMENTS["forget_blacklisted"], channel_id, block, to_bits(people))
    await conn.execute(STATEMENTS["reassign_push_results"], channel_id, newer, older)
