"""Update the states of combos after a change: which lapse, which are revived, which are recomputed.

A combo is LAPSED exactly while its expression reaches a deleted tag. While an operand is not ACTIVE, a PENDING combo
waits, and an ACTIVE one keeps its members and its `as_of` (docs/specification.md §4.4).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, write_tag_edits
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import Combo, ComboGraph
from service.entities.errors import ChannelNotBoundError
from service.entities.tags import TagState
from service.entities.tasks import TaskName
from service.storage import channels, combos
from service.storage.database.pool import Connection


@dataclass(frozen=True, slots=True)
class ComboStateUpdate:
    """Hold the graph after a structural change, the notifications to publish, and the ids of the tags that lapsed."""

    graph: ComboGraph
    notifications: list[ChangeNotification]
    lapsed: tuple[int, ...] = ()


async def lock_combos(conn: Connection, channel_id: int) -> ComboGraph:
    """Return all tags and combos of a channel, locked against other changes until the transaction ends."""
    await channels.lock_channel_state(conn, channel_id)
    return await combos.combo_graph(conn, channel_id)


async def lock_open_combos(conn: Connection, channel_id: int) -> ComboGraph:
    """Return all tags and combos of a channel, locked. Raises ChannelNotBoundError while the gate is closed."""
    graph = await lock_combos(conn, channel_id)
    if not graph.catalogue.open:
        raise ChannelNotBoundError
    return graph


def changed_combo_states(graph: ComboGraph, edited: int | None = None) -> dict[int, TagState]:
    """Return `{tag_id: state}` for each living combo that must have another state in this changed graph."""
    states: dict[int, TagState] = {}
    for tag, combo in graph.living():
        if graph.deleted_dependencies(combo.tag_id):
            state = TagState.LAPSED
        elif tag.state is TagState.LAPSED or combo.tag_id == edited:
            state = TagState.PENDING
        else:
            state = tag.state
        if state is not tag.state:
            states[combo.tag_id] = state
    return states


async def update_combo_states(
    conn: Connection,
    graph: ComboGraph,
    *,
    edited: Combo | None = None,
    cause: ChangeCause,
    now: datetime,
) -> ComboStateUpdate:
    """Write the states that all combos must have in `graph`, which is locked and as the change left it.

    `edited` is a combo whose expression is not in the database yet.
    """
    if edited is not None:
        graph = replace(graph, combos={**graph.combos, edited.tag_id: edited})
    states = changed_combo_states(graph, None if edited is None else edited.tag_id)
    restarted = {tag_id for tag_id, state in states.items() if state is TagState.PENDING}
    if edited is not None:
        restarted.add(edited.tag_id)
    # Members that are being computed from operands which change now are void.
    dependents = {user for tag_id in (*restarted, *states) for user in graph.dependents(tag_id)}
    restarted |= {tag_id for tag_id in dependents if graph.tags[tag_id].state is TagState.PENDING}
    channel_id = graph.catalogue.channel_id
    await combos.restart_combos(conn, channel_id, {tag_id: graph.combos[tag_id].expression for tag_id in restarted})
    notifications = []
    if states:
        edits = [
            TagEdit(
                TagChangeKind.STATE_CHANGED,
                graph.tags[tag_id],
                replace(graph.tags[tag_id], state=state),
                tuple(sorted(graph.deleted_dependencies(tag_id))) if state is TagState.LAPSED else (),
            )
            for tag_id, state in sorted(states.items())
        ]
        _, notification = await write_tag_edits(conn, graph.catalogue, edits, cause=cause, now=now)
        notifications.append(notification)
    lapsed = tuple(tag_id for tag_id, state in sorted(states.items()) if state is TagState.LAPSED)
    return ComboStateUpdate(await combos.combo_graph(conn, channel_id), notifications, lapsed)


def publish_and_enqueue(runtime: Runtime, graph: ComboGraph, notifications: Iterable[ChangeNotification]) -> None:
    """Publish the notifications of a change and enqueue its PENDING combos; call it after the commit."""
    runtime.publisher.publish(notifications)
    for combo in graph.pending():
        enqueue_activation(runtime, graph.catalogue.channel_id, combo)


def enqueue_activation(runtime: Runtime, channel_id: int, combo: Combo) -> None:
    """Enqueue the task that computes the members of a PENDING combo, one for each generation."""
    runtime.queue.enqueue(
        TaskName.ACTIVATE_COMBO,
        channel_id,
        combo.tag_id,
        combo.generation,
        task_id=f"{TaskName.ACTIVATE_COMBO}:{channel_id}:{combo.tag_id}:{combo.generation}",
    )


def enqueue_clearing(runtime: Runtime, graph: ComboGraph) -> None:
    """Enqueue the task that removes the bits of lapsed and deleted tags, which no user shows any more."""
    channel_id = graph.catalogue.channel_id
    runtime.queue.enqueue(
        TaskName.CLEAR_MEMBERS,
        channel_id,
        task_id=f"{TaskName.CLEAR_MEMBERS}:{channel_id}:{graph.catalogue.revision.version}",
    )
