"""Lock block heads, record their versions, and find the blocks that the scheduled run must visit."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from service.entities.blocks import BlockHead
from service.entities.revision import Revision
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def insert_heads(conn: Connection, channel_id: int, blocks: Iterable[int], now: datetime) -> None:
    """Insert the heads of new blocks; those that exist stay as they are."""
    await conn.execute(STATEMENTS["insert_heads"], channel_id, sorted(blocks), now)


async def lock_heads(conn: Connection, channel_id: int, blocks: Iterable[int]) -> dict[int, BlockHead]:
    """Lock blocks in ascending order and return their heads, `{block: head}`.

    The next statement of the caller sees everything that the wait was for.
    """
    rows = await conn.fetch(STATEMENTS["lock_heads"], channel_id, sorted(blocks))
    return {
        row["block"]: BlockHead(
            row["block"],
            row["version"],
            row["at"],
            row["evaluated_at"],
            row["latest_at"],
            row["windows_version"],
        )
        for row in rows
    }


async def blocks_of(conn: Connection, channel_id: int) -> list[int]:
    """Return every block of a channel, ascending."""
    return [row["block"] for row in await conn.fetch(STATEMENTS["blocks_of"], channel_id)]


async def blocks_to_evaluate(conn: Connection, channel_id: int, now: datetime) -> list[int]:
    """Return the blocks in which a boundary has passed, and those being written at this moment, ascending.

    In the latter an evaluation from before the boundary may be about to commit.
    """
    # In this order: a block that is written during the first look is visited; what committed before is in the second.
    unlocked = await unlocked_blocks(conn, channel_id)
    due = {row["block"] for row in await conn.fetch(STATEMENTS["due_blocks"], channel_id, now)}
    every = set(await blocks_of(conn, channel_id))
    return sorted(due | (every - unlocked))


async def unlocked_blocks(conn: Connection, channel_id: int) -> set[int]:
    """Return the blocks that no transaction is writing at this moment."""
    return {row["block"] for row in await conn.fetch(STATEMENTS["unlocked_blocks"], channel_id)}


async def advance_heads(conn: Connection, channel_id: int, revisions: Mapping[int, Revision]) -> None:
    """Record new revisions, `{block: Revision}`; the caller holds the locks."""
    blocks = sorted(revisions)
    await conn.execute(
        STATEMENTS["advance_heads"],
        channel_id,
        blocks,
        [revisions[block].version for block in blocks],
        [revisions[block].at for block in blocks],
    )


async def raise_evaluated_at(
    conn: Connection, channel_id: int, instants: dict[int, datetime], windows_version: int
) -> None:
    """Record that all users of locked blocks are evaluated, `{block: instant}`, under the windows of a version."""
    blocks = sorted(instants)
    await conn.execute(
        STATEMENTS["raise_evaluated_at"], channel_id, blocks, [instants[block] for block in blocks], windows_version
    )
