"""Take a combo from PENDING to ACTIVE, LAPSED and back.

The rule: docs/specification.md §4.4.
"""

from datetime import timedelta

import pytest

from service.domain.combos.activation import ActivationOutcome, activate_combo, rescue_combos
from service.domain.combos.cleanup import clear_members
from service.domain.combos.editing import ComboEdit, update_combo
from service.domain.combos.expressions import to_draft
from service.domain.combos.refresh import refresh_combos
from service.domain.combos.tag_deletion import delete_tag, deletion_preview
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.errors import ConflictError, ErrorCode, RequestError, TagProtectedError
from service.entities.expressions import Expression, all_of, any_of, difference, tag
from service.entities.tags import TagState
from service.entities.tasks import TaskName
from tests.support.clock import START, FrozenClock
from tests.support.database_state import miscounted
from tests.support.runtime import RecordingQueue, admin
from tests.support.tags import (
    add_members,
    combo_graph_of,
    make_combo,
    make_tag,
    members_of,
    remove_members,
    state_of,
    tag_of,
)

PENDING, ACTIVE, LAPSED = TagState.PENDING, TagState.ACTIVE, TagState.LAPSED


async def edit(runtime: Runtime, channel: Channel, tag_id: int, expression: Expression) -> None:
    draft = to_draft(channel.channel_id, expression)
    await update_combo(runtime, admin(), channel.channel_id, tag_id, ComboEdit(expression=draft))


async def delete(runtime: Runtime, channel: Channel, tag_id: int) -> set[int]:
    """Delete a tag, and return the combos that lapsed with it."""
    gone = await delete_tag(runtime, admin(), channel.channel_id, tag_id)
    return {each.tag_id for each in gone.lapsed}


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


async def test_an_edited_combo_is_pending_and_its_parent_keeps_members_and_instant(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "bob")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", any_of(tag(inner.tag_id), tag(1)))
    await rescue_combos(runtime, channel.channel_id)
    clock.advance(timedelta(minutes=5))

    await edit(runtime, channel, inner.tag_id, tag(pear))
    await refresh_combos(runtime, channel.channel_id)

    assert await state_of(runtime, channel, inner.tag_id) is PENDING
    assert await state_of(runtime, channel, outer.tag_id) is ACTIVE
    assert await members_of(runtime, channel, outer.tag_id) == {"ann"}
    assert (await combo_graph_of(runtime, channel)).combos[outer.tag_id].as_of == START

    await rescue_combos(runtime, channel.channel_id)
    assert (await combo_graph_of(runtime, channel)).combos[outer.tag_id].as_of == START, "not computed from it yet"
    await refresh_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, inner.tag_id) == {"bob"}
    assert await members_of(runtime, channel, outer.tag_id) == {"bob"}
    assert (await combo_graph_of(runtime, channel)).combos[outer.tag_id].as_of == clock()


async def test_a_parent_catches_up_in_blocks_that_the_edit_did_not_change(runtime: Runtime, channel: Channel) -> None:
    """While its operand was PENDING the block was refreshed without it; no bit of the operand changes after that."""
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "ann")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", all_of(tag(inner.tag_id), tag(pear)))
    await rescue_combos(runtime, channel.channel_id)

    await edit(runtime, channel, inner.tag_id, any_of(tag(apple), tag(1)))
    await remove_members(runtime, channel, pear, "ann")
    await refresh_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, outer.tag_id) == {"ann"}
    await rescue_combos(runtime, channel.channel_id)
    await refresh_combos(runtime, channel.channel_id)

    assert await members_of(runtime, channel, outer.tag_id) == set()


async def test_what_an_edit_supersedes_is_void(runtime: Runtime, channel: Channel) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "bob")
    combo = await make_combo(runtime, channel, "Combo", tag(apple))
    await edit(runtime, channel, combo.tag_id, tag(pear))

    assert await activate_combo(runtime, channel.channel_id, combo.tag_id, 1) is ActivationOutcome.VOID
    assert await activate_combo(runtime, channel.channel_id, combo.tag_id, 2) is ActivationOutcome.ACTIVE
    assert await members_of(runtime, channel, combo.tag_id) == {"bob"}


async def test_deleting_lapses_everything_above_and_clearing_takes_the_bits(runtime: Runtime, channel: Channel) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "ann")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", any_of(tag(inner.tag_id), tag(pear)))
    await rescue_combos(runtime, channel.channel_id)
    waiting = await make_combo(runtime, channel, "Waiting", tag(outer.tag_id))
    aside = await make_combo(runtime, channel, "Aside", tag(pear))
    preview = await deletion_preview(runtime, admin(), channel.channel_id, apple)

    lapsed = await delete(runtime, channel, apple)

    assert lapsed == {inner.tag_id, outer.tag_id, waiting.tag_id}
    assert {each.tag_id for each in preview.lapsed} == lapsed
    assert {await state_of(runtime, channel, each) for each in lapsed} == {LAPSED}
    assert (await combo_graph_of(runtime, channel)).deleted_dependencies(waiting.tag_id) == [apple]
    await rescue_combos(runtime, channel.channel_id)
    await refresh_combos(runtime, channel.channel_id)
    assert await state_of(runtime, channel, aside.tag_id) is ACTIVE
    assert {await state_of(runtime, channel, each) for each in lapsed} == {LAPSED}

    assert await clear_members(runtime, channel.channel_id) == 1
    assert [await members_of(runtime, channel, each) for each in (apple, *sorted(lapsed))] == [set()] * 4
    assert await members_of(runtime, channel, aside.tag_id) == {"ann"}
    assert await miscounted(runtime, channel) == []
    assert await clear_members(runtime, channel.channel_id) == 0


async def test_editing_to_living_tags_revives_what_lapsed_only_through_it(runtime: Runtime, channel: Channel) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "ann", "bob")
    plum = await make_tag(runtime, channel, "Plum", "bob")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", any_of(tag(inner.tag_id), tag(1)))
    doomed = await make_combo(runtime, channel, "Doomed", any_of(tag(inner.tag_id), tag(plum)))
    await rescue_combos(runtime, channel.channel_id)
    await delete(runtime, channel, apple)
    await delete(runtime, channel, plum)
    await clear_members(runtime, channel.channel_id)

    await edit(runtime, channel, inner.tag_id, tag(pear))

    assert await state_of(runtime, channel, inner.tag_id) is PENDING
    assert await state_of(runtime, channel, outer.tag_id) is PENDING
    assert await state_of(runtime, channel, doomed.tag_id) is LAPSED
    await rescue_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, outer.tag_id) == {"ann", "bob"}
    assert await members_of(runtime, channel, doomed.tag_id) == set()
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_a_combo_is_never_made_of_itself(runtime: Runtime, channel: Channel) -> None:
    inner = await make_combo(runtime, channel, "Inner", tag(1))
    middle = await make_combo(runtime, channel, "Middle", tag(inner.tag_id))
    outer = await make_combo(runtime, channel, "Outer", tag(middle.tag_id))

    for circular in (tag(inner.tag_id), tag(middle.tag_id), any_of(tag(2), tag(outer.tag_id))):
        with pytest.raises(RequestError) as refused:
            await edit(runtime, channel, inner.tag_id, circular)
        assert refused.value.code is ErrorCode.CYCLE
        assert [each.path for each in refused.value.fields] == [("expression",)]


async def test_edits_are_refused_all_at_once_and_change_nothing(runtime: Runtime, channel: Channel) -> None:
    combo = await make_combo(runtime, channel, "Combo", tag(1))
    await make_combo(runtime, channel, "Taken", tag(1))
    before = await tag_of(runtime, channel, combo.tag_id)
    draft = to_draft(channel.channel_id, any_of(tag(99), tag(combo.tag_id)))
    wrong = ComboEdit(category="\t\x01", name="Taken", description="\x00", expression=draft)

    with pytest.raises(RequestError) as refused:
        await update_combo(runtime, admin(), channel.channel_id, combo.tag_id, wrong)

    assert {each.path for each in refused.value.fields} == {
        ("category",),
        ("description",),
        ("expression",),
        ("expression", "any", 0, "tag"),
    }
    with pytest.raises(RequestError) as taken:
        await update_combo(runtime, admin(), channel.channel_id, combo.tag_id, ComboEdit(name="Taken"))
    assert taken.value.code is ErrorCode.NAME_TAKEN
    with pytest.raises(ConflictError):
        await update_combo(
            runtime, admin(), channel.channel_id, combo.tag_id, ComboEdit(name="New", expected_version=9)
        )
    with pytest.raises(TagProtectedError):
        await delete(runtime, channel, 1)
    with pytest.raises(TagProtectedError):
        await update_combo(runtime, admin(), channel.channel_id, 1, ComboEdit(name="New"))
    assert await tag_of(runtime, channel, combo.tag_id) == before


async def test_a_new_name_leaves_state_and_members(runtime: Runtime, channel: Channel) -> None:
    combo = await make_combo(runtime, channel, "Combo", tag(1))
    await rescue_combos(runtime, channel.channel_id)

    await update_combo(
        runtime, admin(), channel.channel_id, combo.tag_id, ComboEdit(name=" Other ", expected_version=1)
    )

    after = await tag_of(runtime, channel, combo.tag_id)
    assert (after.name, after.state, after.version) == ("Other", ACTIVE, 2)
    await update_combo(runtime, admin(), channel.channel_id, combo.tag_id, ComboEdit(name="Other"))
    assert (await tag_of(runtime, channel, combo.tag_id)).version == 2, "nothing was changed"


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
