"""Keep ACTIVE combos up to date: recompute only blocks that changed, all combos of a block at once, operands first.

Source: docs/architecture/06-combos-from-stored-members.md.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import ComboGraph
from service.entities.tags import TagState
from service.storage import channels, combos
from service.storage.blocks import heads
from service.storage.combos import ComboDefinition
from service.storage.database.pool import Connection

# Blocks times combos.
MAX_WORK_PER_TRANSACTION: Final = 1_000
MAX_BLOCKS_PER_TRANSACTION: Final = 64
MAX_CONCURRENT_TRANSACTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class RefreshReport:
    """Count what a refresh did in one channel: the combos it computed, the blocks it read, and those it changed."""

    channel_id: int
    combos: int
    blocks: int
    blocks_changed: int


class BlockComparison(NamedTuple):
    """Hold how many bits of combos are wrong in a block, and the notifications of their repair."""

    wrong: int
    notifications: list[ChangeNotification]


async def refresh_combos(runtime: Runtime, channel_id: int) -> RefreshReport:
    """Recompute the combos of a channel in the blocks that changed since the last refresh.

    Combos with an operand that is not ACTIVE keep their members and their `as_of`.
    """
    started = runtime.clock()
    async with runtime.pool.acquire() as conn:
        graph = await combos.combo_graph(conn, channel_id)
        definitions = combo_definitions(graph)
        if not definitions:
            return RefreshReport(channel_id, 0, 0, 0)
        blocks = await combos.stale_blocks(conn, channel_id)
    size = max(1, min(MAX_BLOCKS_PER_TRANSACTION, MAX_WORK_PER_TRANSACTION // len(definitions)))
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
    return RefreshReport(channel_id, len(definitions), len(blocks), sum(task.result() for task in tasks))


def combo_definitions(graph: ComboGraph) -> list[ComboDefinition]:
    """Return the definition of every computable combo, operands first."""
    return [ComboDefinition(combo.tag_id, combo.expression) for combo in graph.computable()]


async def refresh_locked_blocks(
    conn: Connection, runtime: Runtime, known: ComboGraph | None, channel_id: int, blocks: Sequence[int]
) -> list[ChangeNotification]:
    """Recompute all combos in those locked blocks that changed since the last refresh; return the notifications.

    The graph is read under the locks, so that no earlier write to these blocks is newer than it. `known` saves reading
    it while the tag states have not changed since.
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
) -> BlockComparison:
    """Compare the combos of a locked block that counts as up to date with their expressions; correct them if asked."""
    graph = await combos.combo_graph(conn, channel_id)
    definitions = combo_definitions(graph)
    if not definitions or await combos.stale_among(conn, channel_id, [block], graph.epoch):
        return BlockComparison(0, [])
    wrong = sum((await combos.wrong_members(conn, channel_id, [block], definitions)).values())
    if not wrong or not repair:
        return BlockComparison(wrong, [])
    notifications = await combos.write_members(
        conn, channel_id, [block], definitions, cause=ChangeCause.REPAIRED, now=runtime.clock(), epoch=graph.epoch
    )
    return BlockComparison(wrong, notifications)


async def _current_graph(conn: Connection, channel_id: int, known: ComboGraph | None) -> ComboGraph:
    """Return the current graph: `known` unless the tag states have changed since."""
    if known is not None:
        state = await channels.channel_state(conn, channel_id)
        if state.tag_revision == known.catalogue.revision:
            return known
    return await combos.combo_graph(conn, channel_id)
