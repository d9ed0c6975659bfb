"""The states of combos after a structural change: who lapses, who is revived, whose members are to be computed afresh.

LAPSED is exactly while a deleted tag is reachable. While something that a combo is made of is not ACTIVE, the combo
waits if it is PENDING, and keeps its members and its `as_of` if it is ACTIVE.
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
    """What a structural change came to; `work` is what must be computed now, or tidied away."""

    graph: ComboGraph
    notifications: list[ChangeNotification]
    lapsed: tuple[int, ...] = ()


async def lock_combos(conn: Connection, channel_id: int) -> ComboGraph:
    """All tags and combos of a channel, which nobody else can change until the transaction ends."""
    await channels.lock_channel_state(conn, channel_id)
    return await combos.combo_graph(conn, channel_id)


async def lock_open_combos(conn: Connection, channel_id: int) -> ComboGraph:
    """The same for what the gate guards; raises ChannelNotBoundError while it is closed."""
    graph = await lock_combos(conn, channel_id)
    if not graph.catalogue.open:
        raise ChannelNotBoundError
    return graph


def changed_combo_states(graph: ComboGraph, edited: int | None = None) -> dict[int, TagState]:
    """The state each living combo of a changed catalogue must have, where it is another than it has."""
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
    """Brings the states of all combos in line with `graph`, the locked catalogue as the change left it.

    `edited` is a combo with another expression than the database has.
    """
    if edited is not None:
        graph = replace(graph, combos={**graph.combos, edited.tag_id: edited})
    states = changed_combo_states(graph, None if edited is None else edited.tag_id)
    restarted = {tag_id for tag_id, state in states.items() if state is TagState.PENDING}
    if edited is not None:
        restarted.add(edited.tag_id)
    # What was computed from operands that change now is void, however far it came.
    dependents = {user for tag_id in (*restarted, *states) for user in graph.dependents(tag_id)}
    restarted |= {tag_id for tag_id in dependents if graph.tags[tag_id].state is TagState.PENDING}
    channel_id = graph.catalogue.channel_id
    await combos.restart_combos(conn, channel_id, {tag_id: graph.combos[tag_id].expression for tag_id in restarted})
    notifications = []
    if states:
        edits = [
            TagEdit(TagChangeKind.STATE_CHANGED, graph.tags[tag_id], replace(graph.tags[tag_id], state=state))
            for tag_id, state in sorted(states.items())
        ]
        _, notification = await write_tag_edits(conn, graph.catalogue, edits, cause=cause, now=now)
        notifications.append(notification)
    lapsed = tuple(tag_id for tag_id, state in sorted(states.items()) if state is TagState.LAPSED)
    return ComboStateUpdate(await combos.combo_graph(conn, channel_id), notifications, lapsed)


def publish_and_enqueue(runtime: Runtime, graph: ComboGraph, notifications: Iterable[ChangeNotification]) -> None:
    """After the commit: tells pages and panels, and whoever computes members."""
    runtime.publisher.publish(notifications)
    for combo in graph.pending():
        enqueue_activation(runtime, graph.catalogue.channel_id, combo)


def enqueue_activation(runtime: Runtime, channel_id: int, combo: Combo) -> None:
    runtime.queue.enqueue(
        TaskName.ACTIVATE_COMBO,
        channel_id,
        combo.tag_id,
        combo.generation,
        task_id=f"{TaskName.ACTIVATE_COMBO}:{channel_id}:{combo.tag_id}:{combo.generation}",
    )


def enqueue_clearing(runtime: Runtime, graph: ComboGraph) -> None:
    """Members of lapsed and deleted tags show nowhere; their bits may go when there is time."""
    channel_id = graph.catalogue.channel_id
    runtime.queue.enqueue(
        TaskName.CLEAR_MEMBERS, channel_id, task_id=f"{TaskName.CLEAR_MEMBERS}:{channel_id}:{graph.catalogue.version}"
    )
