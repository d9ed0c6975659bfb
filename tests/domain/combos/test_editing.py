"""Edit a combo: it is pending until its new members are computed, or refused as a whole.

The rule: docs/specification.md §4.4.
"""

from datetime import timedelta

import pytest

from service.domain.combos.activation import ActivationOutcome, activate_combo, rescue_combos
from service.domain.combos.editing import ComboEdit, update_combo
from service.domain.combos.expressions import to_draft
from service.domain.combos.refresh import refresh_combos
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ConflictError, ErrorCode, RequestError, TagProtectedError
from service.entities.expressions import any_of, tag
from service.entities.tags import TagState
from tests.support.clock import START, FrozenClock
from tests.support.runtime import admin
from tests.support.tags import (
    combo_graph_of,
    delete_tag_of,
    edit_combo,
    make_combo,
    make_tag,
    members_of,
    state_of,
    tag_of,
)

PENDING, ACTIVE, LAPSED = TagState.PENDING, TagState.ACTIVE, TagState.LAPSED


async def test_an_edited_combo_is_pending_and_its_parent_keeps_members_and_instant(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "bob")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", any_of(tag(inner.tag_id), tag(1)))
    await rescue_combos(runtime, channel.channel_id)
    clock.advance(timedelta(minutes=5))

    await edit_combo(runtime, channel, inner.tag_id, tag(pear))
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


async def test_what_an_edit_supersedes_is_void(runtime: Runtime, channel: Channel) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "bob")
    combo = await make_combo(runtime, channel, "Combo", tag(apple))
    await edit_combo(runtime, channel, combo.tag_id, tag(pear))

    assert await activate_combo(runtime, channel.channel_id, combo.tag_id, 1) is ActivationOutcome.VOID
    assert await activate_combo(runtime, channel.channel_id, combo.tag_id, 2) is ActivationOutcome.ACTIVE
    assert await members_of(runtime, channel, combo.tag_id) == {"bob"}


async def test_a_combo_is_never_made_of_itself(runtime: Runtime, channel: Channel) -> None:
    inner = await make_combo(runtime, channel, "Inner", tag(1))
    middle = await make_combo(runtime, channel, "Middle", tag(inner.tag_id))
    outer = await make_combo(runtime, channel, "Outer", tag(middle.tag_id))

    for circular in (tag(inner.tag_id), tag(middle.tag_id), any_of(tag(2), tag(outer.tag_id))):
        with pytest.raises(RequestError) as refused:
            await edit_combo(runtime, channel, inner.tag_id, circular)
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
        await delete_tag_of(runtime, channel, 1)
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
