"""From PENDING to ACTIVE: the members of a combo computed in slices of blocks, then a structural change.

Whoever computes holds the combo's row, so an edit waits for the slice and makes the rest void; several at once take
turns. Nothing but the database says how far it came, so anybody may go on at any time.
"""

from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from typing import Final

from service.domain.combos.states import lock_combos, publish_and_enqueue
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, write_tag_edits
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import Combo, ComboGraph
from service.entities.tags import TagState
from service.entities.tasks import TaskName
from service.storage import combos
from service.storage.blocks import heads

# Large enough to be quick, small enough not to hold up events for long.
BLOCKS_PER_SLICE: Final = 128


class ActivationOutcome(Enum):
    """What became of an attempt to bring a combo into force."""

    ACTIVE = auto()
    VOID = auto()
    """It was edited, deleted or has lapsed, or waits for something it is made of."""
    BUSY = auto()
    """Somebody else is at it."""


async def activate_combo(runtime: Runtime, channel_id: int, tag_id: int, generation: int) -> ActivationOutcome:
    """Computes what is left of one generation of a combo and brings it into force; then whatever waited for it."""
    while True:
        outcome, notifications = await _compute_slice(runtime, channel_id, tag_id, generation)
        runtime.publisher.publish(notifications)
        if outcome is not None:
            return (
                await _activate(runtime, channel_id, tag_id, generation)
                if outcome is ActivationOutcome.ACTIVE
                else outcome
            )


async def rescue_combos(runtime: Runtime, channel_id: int) -> list[ActivationOutcome]:
    """Brings into force whatever is PENDING and could be, until nothing more can: what a crash left lying."""
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


async def _compute_slice(
    runtime: Runtime, channel_id: int, tag_id: int, generation: int
) -> tuple[ActivationOutcome | None, list[ChangeNotification]]:
    """The next blocks of a combo; ACTIVE when there are none left to compute, None when there may be."""
    started = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        combo = await combos.lock_combo(conn, channel_id, tag_id)
        if combo is None:
            return ActivationOutcome.BUSY, []
        if combo.generation != generation:
            return ActivationOutcome.VOID, []
        if combo.next_block is None:
            return ActivationOutcome.ACTIVE, []
        blocks = await combos.blocks_from(conn, channel_id, combo.next_block, BLOCKS_PER_SLICE)
        if blocks:
            await heads.lock_heads(conn, channel_id, blocks)
        # After the locks: whatever changed what this combo is made of before is seen, whatever comes after waits.
        graph = await combos.combo_graph(conn, channel_id)
        if _pending_generation(graph, tag_id, generation) is None:
            return ActivationOutcome.VOID, []
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
    return ActivationOutcome.ACTIVE if done else None, notifications


async def _activate(runtime: Runtime, channel_id: int, tag_id: int, generation: int) -> ActivationOutcome:
    """The structural change, under the channel's lock, if all that it rests on still holds there."""
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
    """The combo, if this generation of it is PENDING and all that it is made of is in force."""
    found = (each for each in graph.pending() if (each.tag_id, each.generation) == (tag_id, generation))
    return next(found, None)


def _as_of(graph: ComboGraph, combo: Combo, started_at: datetime) -> datetime:
    """A combo cannot be newer than the combos it was made of."""
    operands = (graph.combos.get(tag_id) for tag_id in combo.expression.tag_ids())
    instants = [each.as_of for each in operands if each is not None and each.as_of is not None]
    return min([started_at, *instants])
