"""The states of combos after a structural change: who lapses, who is revived, whose members are to be computed afresh.

LAPSED is exactly while a deleted tag is reachable. While something that a combo is made of is not ACTIVE, the combo
waits if it is PENDING, and keeps its members and its `as_of` if it is ACTIVE.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, write_tag_edits
from service.entities.blocks import WakeUp
from service.entities.combos import Combo, ComboCatalogue
from service.entities.enums import ChangeCause, TagState
from service.entities.errors import ChannelNotBoundError
from service.storage import channels, combos
from service.storage.database.pool import Connection


@dataclass(frozen=True, slots=True)
class Settled:
    """What a structural change came to; `work` is what must be computed now, or tidied away."""

    book: ComboCatalogue
    wake_ups: list[WakeUp]
    lapsed: tuple[int, ...] = ()


async def lock_combos(conn: Connection, channel_id: int) -> ComboCatalogue:
    """All tags and combos of a channel, which nobody else can change until the transaction ends."""
    await channels.lock_channel_state(conn, channel_id)
    return await combos.combo_catalogue(conn, channel_id)


async def lock_open_combos(conn: Connection, channel_id: int) -> ComboCatalogue:
    """The same for what the gate guards; raises ChannelNotBoundError while it is closed."""
    book = await lock_combos(conn, channel_id)
    if not book.catalogue.open:
        raise ChannelNotBoundError
    return book


def settled_states(book: ComboCatalogue, edited: int | None = None) -> dict[int, TagState]:
    """The state each living combo of a changed catalogue must have, where it is another than it has."""
    states: dict[int, TagState] = {}
    for tag, combo in book.living():
        if book.dead_below(combo.tag_id):
            state = TagState.LAPSED
        elif tag.state is TagState.LAPSED or combo.tag_id == edited:
            state = TagState.PENDING
        else:
            state = tag.state
        if state is not tag.state:
            states[combo.tag_id] = state
    return states


async def settle_combos(
    conn: Connection,
    book: ComboCatalogue,
    *,
    edited: Combo | None = None,
    cause: ChangeCause,
    clock: datetime,
) -> Settled:
    """Brings the states of all combos in line with `book`, the locked catalogue as the change left it.

    `edited` is a combo with another expression than the database has.
    """
    if edited is not None:
        book = replace(book, combos={**book.combos, edited.tag_id: edited})
    states = settled_states(book, None if edited is None else edited.tag_id)
    afresh = {tag_id for tag_id, state in states.items() if state is TagState.PENDING}
    if edited is not None:
        afresh.add(edited.tag_id)
    # What was computed from operands that change now is void, however far it came.
    moving = {user for tag_id in (*afresh, *states) for user in book.above(tag_id)}
    afresh |= {tag_id for tag_id in moving if book.tags[tag_id].state is TagState.PENDING}
    channel_id = book.catalogue.channel_id
    await combos.restart_combos(conn, channel_id, {tag_id: book.combos[tag_id].expression for tag_id in afresh})
    wake_ups = []
    if states:
        edits = [
            TagEdit(TagChangeKind.STATE_CHANGED, book.tags[tag_id], replace(book.tags[tag_id], state=state))
            for tag_id, state in sorted(states.items())
        ]
        _, wake_up = await write_tag_edits(conn, book.catalogue, edits, cause=cause, clock=clock)
        wake_ups.append(wake_up)
    lapsed = tuple(tag_id for tag_id, state in sorted(states.items()) if state is TagState.LAPSED)
    return Settled(await combos.combo_catalogue(conn, channel_id), wake_ups, lapsed)


def hand_over(runtime: Runtime, book: ComboCatalogue, wake_ups: Iterable[WakeUp]) -> None:
    """After the commit: tells pages and panels, and whoever computes members."""
    runtime.publisher.publish(wake_ups)
    for combo in book.pending():
        enqueue_activation(runtime, book.catalogue.channel_id, combo)


def enqueue_activation(runtime: Runtime, channel_id: int, combo: Combo) -> None:
    runtime.queue.enqueue(
        "activate_combo",
        channel_id,
        combo.tag_id,
        combo.generation,
        job_id=f"activate_combo:{channel_id}:{combo.tag_id}:{combo.generation}",
    )


def enqueue_clearing(runtime: Runtime, book: ComboCatalogue) -> None:
    """Members of lapsed and deleted tags show nowhere; their bits may go when there is time."""
    channel_id = book.catalogue.channel_id
    runtime.queue.enqueue("clear_members", channel_id, job_id=f"clear_members:{channel_id}:{book.catalogue.version}")
