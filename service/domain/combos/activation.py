"""Take combos from PENDING to ACTIVE: compute the members in slices of blocks, then write the structural change.

A slice locks the row of the combo, so an edit waits for the slice and voids the rest, and several workers take turns.
Progress is kept in the database alone, so any worker can continue it (docs/specification.md §4.4).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import Final, NamedTuple

from service.domain.combos.states import lock_combos, publish_and_enqueue
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, write_tag_edits
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import Combo, ComboGraph
from service.entities.tags import TagState
from service.entities.tasks import TaskName
from service.storage import combos
from service.storage.blocks import heads

# Large enough to be quick, small enough not to delay events for long.
BLOCKS_PER_SLICE: Final = 128


class ActivationOutcome(Enum):
    """Name how an attempt to activate a combo ended.

    VOID: the combo was edited, deleted or has lapsed, or an operand is not ACTIVE. BUSY: another worker computes it.
    """

    ACTIVE = auto()
    VOID = auto()
    BUSY = auto()


class _SliceResult(NamedTuple):
    """Hold the result of one slice; `outcome` is None while blocks are left, and ACTIVE once all are computed."""

    outcome: ActivationOutcome | None
    notifications: Sequence[ChangeNotification] = ()


async def activate_combo(runtime: Runtime, channel_id: int, tag_id: int, generation: int) -> ActivationOutcome:
    """Compute the members that one generation of a combo still lacks, then make it ACTIVE.

    Enqueues the combos that waited for it.
    """
    while True:
        result = await _compute_slice(runtime, channel_id, tag_id, generation)
        runtime.publisher.publish(result.notifications)
        if result.outcome is ActivationOutcome.ACTIVE:
            return await _activate(runtime, channel_id, tag_id, generation)
        if result.outcome is not None:
            return result.outcome


async def rescue_combos(runtime: Runtime, channel_id: int) -> list[ActivationOutcome]:
    """Activate the PENDING combos of a channel that a crash left behind, until no other can be; return the outcomes."""
    outcomes: list[ActivationOutcome] = []
    tried: set[tuple[int, int]] = set()
    while True:
        async with runtime.pool.acquire() as conn:
            if not await combos.has_pending_combos(conn, channel_id):
                return outcomes
            pending = (await combos.combo_graph(conn, channel_id)).pending()
        untried = [each for each in pending if (each.tag_id, each.generation) not in tried]
        if not untried:
            return outcomes
        for combo in untried:
            tried.add((combo.tag_id, combo.generation))
            outcomes.append(await activate_combo(runtime, channel_id, combo.tag_id, combo.generation))


async def _compute_slice(runtime: Runtime, channel_id: int, tag_id: int, generation: int) -> _SliceResult:
    """Compute the members of a combo in its next blocks."""
    started = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        combo = await combos.lock_combo(conn, channel_id, tag_id)
        if combo is None:
            return _SliceResult(ActivationOutcome.BUSY)
        if combo.generation != generation:
            return _SliceResult(ActivationOutcome.VOID)
        if combo.next_block is None:
            return _SliceResult(ActivationOutcome.ACTIVE)
        blocks = await combos.blocks_from(conn, channel_id, combo.next_block, BLOCKS_PER_SLICE)
        if blocks:
            await heads.lock_heads(conn, channel_id, blocks)
        # Read after the locks: earlier changes of the operands are seen here, later ones wait for the locks.
        graph = await combos.combo_graph(conn, channel_id)
        if _pending_generation(graph, tag_id, generation) is None:
            return _SliceResult(ActivationOutcome.VOID)
        notifications: list[ChangeNotification] = []
        if blocks:
            notifications = await combos.write_members(
                conn,
                channel_id,
                blocks,
                [combos.ComboDefinition(tag_id, combo.expression)],
                cause=ChangeCause.COMBO_REFRESHED,
                now=runtime.clock(),
            )
        done = len(blocks) < BLOCKS_PER_SLICE
        await combos.save_combo_progress(conn, channel_id, tag_id, None if done else blocks[-1] + 1, started)
    return _SliceResult(ActivationOutcome.ACTIVE if done else None, notifications)


async def _activate(runtime: Runtime, channel_id: int, tag_id: int, generation: int) -> ActivationOutcome:
    """Write the structural change under the channel's lock; VOID if the combo is no longer ready for it."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        graph = await lock_combos(conn, channel_id)
        combo = _pending_generation(graph, tag_id, generation)
        if combo is None or combo.next_block is not None or combo.started_at is None:
            return ActivationOutcome.VOID
        await combos.set_combo_as_of(conn, channel_id, tag_id, _as_of(graph, combo, combo.started_at))
        parents_stale = any(graph.tags[user].state is TagState.ACTIVE for user in graph.direct_dependents(tag_id))
        if parents_stale:
            # They kept the members they had while this one was PENDING.
            await combos.bump_combos_epoch(conn, channel_id)
        tag = graph.tags[tag_id]
        _, notification = await write_tag_edits(
            conn,
            graph.catalogue,
            [TagEdit(TagChangeKind.STATE_CHANGED, tag, replace(tag, state=TagState.ACTIVE))],
            cause=ChangeCause.COMBO_REFRESHED if combo.as_of is None else ChangeCause.TAG_EDITED,
            now=runtime.clock(),
        )
        after = await combos.combo_graph(conn, channel_id)
    publish_and_enqueue(runtime, after, [notification])
    if parents_stale:
        runtime.queue.enqueue(
            TaskName.REFRESH_COMBOS,
            channel_id,
            task_id=f"{TaskName.REFRESH_COMBOS}:{channel_id}:{after.catalogue.revision.version}",
        )
    return ActivationOutcome.ACTIVE


def _pending_generation(graph: ComboGraph, tag_id: int, generation: int) -> Combo | None:
    """Return the combo if this generation of it is PENDING and all its operands are ACTIVE; None otherwise."""
    found = (each for each in graph.pending() if (each.tag_id, each.generation) == (tag_id, generation))
    return next(found, None)


def _as_of(graph: ComboGraph, combo: Combo, started_at: datetime) -> datetime:
    """Return the instant of the members: the start of their computation, or that of an older operand."""
    operands = (graph.combos.get(tag_id) for tag_id in combo.expression.tag_ids())
    instants = [each.as_of for each in operands if each is not None and each.as_of is not None]
    return min([started_at, *instants])
