"""Delete a tag: all combos that reach it lapse, until they are edited to tags that live.

The rule: docs/specification.md §4.5.
"""

from service.domain.combos.activation import rescue_combos
from service.domain.combos.cleanup import clear_members
from service.domain.combos.refresh import refresh_combos
from service.domain.combos.tag_deletion import deletion_preview
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.expressions import any_of, tag
from service.entities.tags import TagState
from tests.support.database_state import miscounted
from tests.support.runtime import admin
from tests.support.tags import (
    combo_graph_of,
    delete_tag_of,
    edit_combo,
    make_combo,
    make_tag,
    members_of,
    state_of,
)

PENDING, ACTIVE, LAPSED = TagState.PENDING, TagState.ACTIVE, TagState.LAPSED


async def test_deleting_lapses_everything_above_and_clearing_takes_the_bits(runtime: Runtime, channel: Channel) -> None:
    apple = await make_tag(runtime, channel, "Apple", "ann")
    pear = await make_tag(runtime, channel, "Pear", "ann")
    inner = await make_combo(runtime, channel, "Inner", tag(apple))
    outer = await make_combo(runtime, channel, "Outer", any_of(tag(inner.tag_id), tag(pear)))
    await rescue_combos(runtime, channel.channel_id)
    waiting = await make_combo(runtime, channel, "Waiting", tag(outer.tag_id))
    aside = await make_combo(runtime, channel, "Aside", tag(pear))
    preview = await deletion_preview(runtime, admin(), channel.channel_id, apple)

    lapsed = await delete_tag_of(runtime, channel, apple)

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
    await delete_tag_of(runtime, channel, apple)
    await delete_tag_of(runtime, channel, plum)
    await clear_members(runtime, channel.channel_id)

    await edit_combo(runtime, channel, inner.tag_id, tag(pear))

    assert await state_of(runtime, channel, inner.tag_id) is PENDING
    assert await state_of(runtime, channel, outer.tag_id) is PENDING
    assert await state_of(runtime, channel, doomed.tag_id) is LAPSED
    await rescue_combos(runtime, channel.channel_id)
    assert await members_of(runtime, channel, outer.tag_id) == {"ann", "bob"}
    assert await members_of(runtime, channel, doomed.tag_id) == set()
    assert (await verify_channel(runtime, channel, repair=False)).clean
