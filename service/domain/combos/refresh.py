"""Keeping combos in force up to date: only blocks that changed, all combos of a block at once, operands first."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import ComboGraph
from service.entities.tags import TagState
from service.storage import channels, combos
from service.storage.blocks import heads
from service.storage.combos import ComboDefinition
from service.storage.database.pool import Connection

# Blocks times combos of one transaction, and the most blocks.
MAX_WORK_PER_TRANSACTION: Final = 1_000
MAX_BLOCKS_PER_TRANSACTION: Final = 64
MAX_CONCURRENT_TRANSACTIONS: Final = 2


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
        graph = await combos.combo_graph(conn, channel_id)
        made = combo_definitions(graph)
        if not made:
            return RefreshReport(channel_id, 0, 0, 0)
        blocks = await combos.stale_blocks(conn, channel_id)
    size = max(1, min(MAX_BLOCKS_PER_TRANSACTION, MAX_WORK_PER_TRANSACTION // len(made)))
    semaphore = asyncio.Semaphore(MAX_CONCURRENT_TRANSACTIONS)

    async def refresh(some: Sequence[int]) -> int:
        async with semaphore, runtime.pool.acquire() as conn, conn.transaction():
            await heads.lock_heads(conn, channel_id, some)
            notifications = await refresh_locked_blocks(conn, runtime, graph, channel_id, some)
        runtime.publisher.publish(notifications)
        return len(notifications)

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(refresh(blocks[first : first + size])) for first in range(0, len(blocks), size)]
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_channel_state(conn, channel_id)
        after = await combos.combo_graph(conn, channel_id)
        if after.epoch == graph.epoch:
            through = {(each.tag_id, each.generation) for each in graph.computable()}
            whole = [
                each
                for each in after.computable()
                if (each.tag_id, each.generation) in through and after.tags[each.tag_id].state is TagState.ACTIVE
            ]
            await combos.raise_combos_as_of(conn, channel_id, whole, started)
    return RefreshReport(channel_id, len(made), len(blocks), sum(task.result() for task in tasks))


def combo_definitions(graph: ComboGraph) -> list[ComboDefinition]:
    """What every computable combo is made of, operands first."""
    return [ComboDefinition(combo.tag_id, combo.expression) for combo in graph.computable()]


async def refresh_locked_blocks(
    conn: Connection, runtime: Runtime, known: ComboGraph | None, channel_id: int, blocks: Sequence[int]
) -> list[ChangeNotification]:
    """Computes all combos in those locked blocks that changed since the last time.

    What they are made of is read under the locks, so that it is not older than what anybody wrote there before;
    `known` saves reading it if it is still so.
    """
    graph = await _current_graph(conn, channel_id, known)
    if not graph.combos:
        return []
    stale = await combos.stale_among(conn, channel_id, blocks, graph.epoch)
    if not stale:
        return []
    return await combos.write_members(
        conn,
        channel_id,
        stale,
        combo_definitions(graph),
        cause=ChangeCause.COMBO_REFRESHED,
        now=runtime.clock(),
        epoch=graph.epoch,
    )


async def compare_locked_block(
    conn: Connection, runtime: Runtime, channel_id: int, block: int, *, repair: bool
) -> tuple[int, list[ChangeNotification]]:
    """In a locked block that counts as up to date: how many people have or lack a combo wrongly; corrected if asked."""
    graph = await combos.combo_graph(conn, channel_id)
    made = combo_definitions(graph)
    if not made or await combos.stale_among(conn, channel_id, [block], graph.epoch):
        return 0, []
    wrong = sum((await combos.wrong_members(conn, channel_id, [block], made)).values())
    if not wrong or not repair:
        return wrong, []
    return wrong, await combos.write_members(
        conn, channel_id, [block], made, cause=ChangeCause.REPAIRED, now=runtime.clock(), epoch=graph.epoch
    )


async def _current_graph(conn: Connection, channel_id: int, known: ComboGraph | None) -> ComboGraph:
    """What combos are made of now."""
    if known is not None:
        state = await channels.channel_state(conn, channel_id)
        if state.tag_revision == known.catalogue.revision:
            return known
    return await combos.combo_graph(conn, channel_id)
