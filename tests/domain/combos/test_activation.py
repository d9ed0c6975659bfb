"""Compute the members of a combo, bring it into force, and keep it up to date.

The rule: docs/specification.md §4.4.
"""

from datetime import timedelta

from service.domain.combos.activation import ActivationOutcome, activate_combo, rescue_combos
from service.domain.combos.refresh import refresh_combos
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.expressions import all_of, any_of, difference, tag
from service.entities.tags import TagState
from service.entities.tasks import TaskName
from tests.support.clock import FrozenClock
from tests.support.database_state import miscounted
from tests.support.runtime import RecordingQueue
from tests.support.tags import (
    add_members,
    combo_graph_of,
    edit_combo,
    make_combo,
    make_tag,
    members_of,
    remove_members,
    state_of,
    tag_of,
)

PENDING, ACTIVE, LAPSED = TagState.PENDING, TagState.ACTIVE, TagState.LAPSED


async def test_a_combo_is_pending_until_its_members_are_computed(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann", "bob")
    pear = await make_tag(runtime, channel, "Pear", "bob", "cleo")
    combo = await make_combo(runtime, channel, "Both", all_of(tag(apple), tag(pear)))
    assert await state_of(runtime, channel, combo.tag_id) is PENDING
    assert combo.as_of is None
    clock.advance(timedelta(minutes=1))

    assert await activate_combo(runtime, channel.channel_id, combo.tag_id, 1) is ActivationOutcome.ACTIVE

    assert await state_of(runtime, channel, combo.tag_id) is ACTIVE
    assert await members_of(runtime, channel, combo.tag_id) == {"bob"}
    assert (await combo_graph_of(runtime, channel)).combos[combo.tag_id].as_of == clock()
    assert await miscounted(runtime, channel) == []
    assert (await tag_of(runtime, channel, combo.tag_id)).version == 1
    assert await activate_combo(runtime, channel.channel_id, combo.tag_id, 1) is ActivationOutcome.VOID


async def test_creation_hands_the_computation_over(runtime: Runtime, channel: Channel) -> None:
    combo = await make_combo(runtime, channel, "New", tag(1))

    assert isinstance(runtime.queue, RecordingQueue)
    name = f"{TaskName.ACTIVATE_COMBO}:{channel.channel_id}:{combo.tag_id}:1"
    assert runtime.queue.tasks == [(TaskName.ACTIVATE_COMBO, (channel.channel_id, combo.tag_id, 1), name)]


async def test_a_combo_of_combos_waits_for_them(runtime: Runtime, channel: Channel) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann", "bob")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", difference(tag(inner.tag_id), tag(1)))

    assert await activate_combo(runtime, channel.channel_id, outer.tag_id, 1) is ActivationOutcome.VOID
    assert await state_of(runtime, channel, outer.tag_id) is PENDING
    assert await activate_combo(runtime, channel.channel_id, inner.tag_id, 1) is ActivationOutcome.ACTIVE
    assert isinstance(runtime.queue, RecordingQueue)
    assert runtime.queue.tasks[-1][1] == (channel.channel_id, outer.tag_id, 1)

    assert await rescue_combos(runtime, channel.channel_id) == [ActivationOutcome.ACTIVE]
    assert await members_of(runtime, channel, outer.tag_id) == {"ann", "bob"}


async def test_one_sweep_brings_a_whole_chain_into_force(runtime: Runtime, channel: Channel) -> None:
    last = await make_tag(runtime, channel, "Apple", "ann")
    for number in range(5):
        last = (await make_combo(runtime, channel, f"Link {number}", any_of(tag(last), tag(1)))).tag_id

    assert await rescue_combos(runtime, channel.channel_id) == [ActivationOutcome.ACTIVE] * 5
    assert await members_of(runtime, channel, last) == {"ann"}
    assert await rescue_combos(runtime, channel.channel_id) == []


async def test_a_refresh_follows_what_changed_and_only_that(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "ann", "bob")
    inner = await make_combo(runtime, channel, "Inner", all_of(tag(apple), tag(pear)))
    outer = await make_combo(runtime, channel, "Outer", difference(tag(pear), tag(inner.tag_id)))
    await rescue_combos(runtime, channel.channel_id)
    clock.advance(timedelta(minutes=15))
    await add_members(runtime, channel, apple, "bob")
    await remove_members(runtime, channel, apple, "ann")

    report = await refresh_combos(runtime, channel.channel_id)

    assert (report.combos, report.blocks, report.blocks_changed) == (2, 1, 1)
    assert await members_of(runtime, channel, inner.tag_id) == {"bob"}
    assert await members_of(runtime, channel, outer.tag_id) == {"ann"}
    combos = (await combo_graph_of(runtime, channel)).combos
    assert {combos[each.tag_id].as_of for each in (inner, outer)} == {clock()}
    assert await miscounted(runtime, channel) == []

    clock.advance(timedelta(minutes=15))
    assert (await refresh_combos(runtime, channel.channel_id)).blocks == 0
    assert (await combo_graph_of(runtime, channel)).combos[inner.tag_id].as_of == clock()


async def test_a_parent_catches_up_in_blocks_that_the_edit_did_not_change(runtime: Runtime, channel: Channel) -> None:
    """While its operand was PENDING the block was refreshed without it; no bit of the operand changes after that."""
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "ann")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", all_of(tag(inner.tag_id), tag(pear)))
    await rescue_combos(runtime, channel.channel_id)

    await edit_combo(runtime, channel, inner.tag_id, any_of(tag(apple), tag(1)))
    await remove_members(runtime, channel, pear, "ann")
    await refresh_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, outer.tag_id) == {"ann"}
    await rescue_combos(runtime, channel.channel_id)
    await refresh_combos(runtime, channel.channel_id)

    assert await members_of(runtime, channel, outer.tag_id) == set()


async def test_verify_finds_wrong_members_of_combos_and_repairs_them(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann", "bob")
    combo = await make_combo(runtime, channel, "Combo", tag(apple))
    await rescue_combos(runtime, channel.channel_id)
    await refresh_combos(runtime, channel.channel_id)
    await runtime.pool.execute(
        "update tag_members set members = set_bit(set_bit(members, 1, 0), 2, 1) where tag_id = $1", combo.tag_id
    )
    assert (await refresh_combos(runtime, channel.channel_id)).blocks == 0
    clock.advance(timedelta(minutes=1))

    found = await verify_channel(runtime, channel, repair=False)
    again = await verify_channel(runtime, channel, repair=False)

    assert found.wrong_combos == again.wrong_combos == 2
    assert (await verify_channel(runtime, channel, repair=True)).wrong_combos == 2
    assert (await verify_channel(runtime, channel, repair=False)).clean
    assert await members_of(runtime, channel, combo.tag_id) == {"ann", "bob"}
    assert await miscounted(runtime, channel) == []
