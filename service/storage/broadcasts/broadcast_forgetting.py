"""Take people out of what broadcasts keep of them, so that the counts stay.

Whoever does that holds the block of the people, and locks the broadcasts that they are in first.
"""

from collections.abc import Collection, Sequence

from service.entities.broadcasts import HeldReason, PeopleRole, held
from service.storage.broadcasts.broadcast_ledger import to_bits
from service.storage.broadcasts.broadcasts import lock_broadcasts
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def lock_broadcasts_about(conn: Connection, channel_id: int, block: int, people: int) -> list[int]:
    """Lock the broadcasts that have somebody of a bitmap of a block in their audience, and return their numbers."""
    rows = await conn.fetch(STATEMENTS["broadcasts_about"], channel_id, block, to_bits(people))
    job_ids = [row["job_id"] for row in rows]
    if job_ids:
        await lock_broadcasts(conn, channel_id, job_ids)
    return job_ids


async def forget_in_ledgers(
    conn: Connection,
    channel_id: int,
    block: int,
    people: int,
    ordinals: Collection[int],
    job_ids: Sequence[int],
    *,
    planned_as: HeldReason = HeldReason.FORGOTTEN,
) -> None:
    """Count people of a block by their number only in locked broadcasts, `people` being the bitmap of `ordinals`.

    Whoever was planned is held for a reason. Of messages to one person stays what became of them.
    """
    bits = to_bits(people)
    await conn.execute(STATEMENTS["forget_chunk_people"], channel_id, block, bits, job_ids)
    await conn.execute(STATEMENTS["forget_sends"], channel_id, job_ids, list(ordinals))
    await conn.execute(STATEMENTS["forget_planned"], channel_id, block, bits, job_ids, held(planned_as))
    await conn.execute(STATEMENTS["forget_people"], channel_id, block, bits, job_ids, [PeopleRole.PLANNED])


async def forget_beside_ledgers(
    conn: Connection, channel_id: int, block: int, people: int, ordinals: Collection[int]
) -> None:
    """Delete how many messages people of a block got, what they allowed, and that they are on the blacklist.

    `people` is the bitmap of `ordinals`.
    """
    bits = to_bits(people)
    await conn.fetch(STATEMENTS["lock_counters_of_block"], channel_id, block)
    await conn.execute(STATEMENTS["forget_send_counts"], channel_id, block, bits)
    await conn.execute(STATEMENTS["forget_consents"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["forget_push_results"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["forget_blacklisted"], channel_id, block, bits)
