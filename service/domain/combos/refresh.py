"""Keeping combos in force up to date: only blocks that changed, all combos of a block at once, operands first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.domain.runtime import Runtime
from service.entities.blocks import WakeUp
from service.entities.combos import ComboCatalogue
from service.entities.enums import ChangeCause, TagState
from service.storage import channels, combos
from service.storage.blocks import heads
from service.storage.combos import Made
from service.storage.database.pool import Connection

# Blocks times combos of one transaction, and the most blocks.
WORK_A_TRANSACTION: Final = 1_000
MOST_BLOCKS_A_TRANSACTION: Final = 64
TRANSACTIONS_AT_ONCE: Final = 2


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """What a refresh of combos did to one channel."""

    channel_id: int
    combos: int
    blocks: int
    blocks_changed: int


async def refresh_combos(runtime: Runtime, channel_id: int) -> RefreshReport:
    """Brings every combo in force to the present; costs what changed since the last time, not what there is.

    Combos made of something that is not in force keep their members and their `as_of`.
    """
    started = runtime.clock()
    async with runtime.pool.acquire() as conn:
        book = await combos.combo_catalogue(conn, channel_id)
        made = members_of(book)
        if not made:
            return RefreshReport(channel_id, 0, 0, 0)
        blocks = await combos.stale_blocks(conn, channel_id)
    size = max(1, min(MOST_BLOCKS_A_TRANSACTION, WORK_A_TRANSACTION // len(made)))
    room = asyncio.Semaphore(TRANSACTIONS_AT_ONCE)

    async def refresh(some: Sequence[int]) -> int:
        async with room, runtime.pool.acquire() as conn, conn.transaction():
            await heads.lock_heads(conn, channel_id, some)
            wake_ups = await refresh_locked(conn, runtime, book, channel_id, some)
        runtime.publisher.publish(wake_ups)
        return len(wake_ups)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(refresh(blocks[first : first + size])) for first in range(0, len(blocks), size)]
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_channel_state(conn, channel_id)
        after = await combos.combo_catalogue(conn, channel_id)
        if after.epoch == book.epoch:
            through = {(each.tag_id, each.generation) for each in book.computable()}
            whole = [
                each
                for each in after.computable()
                if (each.tag_id, each.generation) in through and after.tags[each.tag_id].state is TagState.ACTIVE
            ]
            await combos.raise_combos_as_of(conn, channel_id, whole, started)
    return RefreshReport(channel_id, len(made), len(blocks), sum(task.result() for task in tasks))


def members_of(book: ComboCatalogue) -> list[Made]:
    """What every computable combo is made of, operands first."""
    return [(combo.tag_id, combo.expression) for combo in book.computable()]


async def refresh_locked(
    conn: Connection, runtime: Runtime, known: ComboCatalogue | None, channel_id: int, blocks: Sequence[int]
) -> list[WakeUp]:
    """Computes all combos in those locked blocks that changed since the last time.

    What they are made of is read under the locks, so that it is not older than what anybody wrote there before;
    `known` saves reading it if it is still so.
    """
    book = await _present(conn, channel_id, known)
    if not book.combos:
        return []
    stale = await combos.stale_among(conn, channel_id, blocks, book.epoch)
    if not stale:
        return []
    return await combos.write_members(
        conn,
        channel_id,
        stale,
        members_of(book),
        cause=ChangeCause.COMBO_REFRESHED,
        clock=runtime.clock(),
        epoch=book.epoch,
    )


async def compare_locked(
    conn: Connection, runtime: Runtime, channel_id: int, block: int, *, repair: bool
) -> tuple[int, list[WakeUp]]:
    """In a locked block that counts as up to date: how many people have or lack a combo wrongly; corrected if asked."""
    book = await combos.combo_catalogue(conn, channel_id)
    made = members_of(book)
    if not made or await combos.stale_among(conn, channel_id, [block], book.epoch):
        return 0, []
    wrong = sum((await combos.wrong_members(conn, channel_id, [block], made)).values())
    if not wrong or not repair:
        return wrong, []
    return wrong, await combos.write_members(
        conn, channel_id, [block], made, cause=ChangeCause.REPAIRED, clock=runtime.clock(), epoch=book.epoch
    )


async def _present(conn: Connection, channel_id: int, known: ComboCatalogue | None) -> ComboCatalogue:
    """What combos are made of now."""
    if known is not None:
        state = await channels.channel_state(conn, channel_id)
        if (state.tag_version, state.tag_version_at) == known.catalogue.place:
            return known
    return await combos.combo_catalogue(conn, channel_id)
