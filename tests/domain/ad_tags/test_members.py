"""Give an ad tag to those who came from one of its ads, before or after it was made.

The rule: docs/specification.md §4.3.
"""

from datetime import timedelta

from service.domain.ad_tags.members import resume_ad_tag_updates
from service.domain.combos.activation import rescue_combos
from service.domain.combos.cleanup import clear_members
from service.domain.combos.tag_deletion import delete_tag
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.expressions import all_of
from service.entities.expressions import tag as leaf
from service.entities.tags import DefaultTagRule, TagState
from service.entities.tasks import TaskName
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import tags_by_openid
from tests.support.runtime import RecordingQueue, admin
from tests.support.tags import (
    confirm_ad_address,
    edit_ad_tag,
    make_ad_tag,
    make_combo,
    members_of,
    record_ad_follow_of,
    state_of,
)

MINUTE = timedelta(minutes=1)


async def follow(runtime: Runtime, channel: Channel, openid: str, *ad_ids: str) -> None:
    await record_events(runtime, channel, [UserEvent(openid, EventKind.FOLLOW, START, ad_ids=ad_ids)])


async def causes(runtime: Runtime) -> list[str]:
    return [row["cause"] for row in await runtime.pool.fetch("select cause from user_tag_change order by version")]


async def default_tags(runtime: Runtime, channel: Channel, openid: str) -> set[DefaultTagRule]:
    """Return the stored tags of a person without the ad tags."""
    ads = "delete from tag_members where channel_id = $1 and tag_id > 8"
    await runtime.pool.execute(ads, channel.channel_id)
    return (await tags_by_openid(runtime, channel))[openid]


async def test_who_came_from_one_of_its_ads_before_or_after_has_the_tag(runtime: Runtime, channel: Channel) -> None:
    await follow(runtime, channel, "ann", "1", "2")
    await follow(runtime, channel, "ben", "3")
    tag = await make_ad_tag(runtime, channel, "Spring", "2", "4")
    other = await make_ad_tag(runtime, channel, "All", "1", "2", "3", "4")
    await follow(runtime, channel, "cyd", "4")
    await record_ad_follow_of(runtime, channel, "dee", START, "4")
    await follow(runtime, channel, "eve")

    assert await members_of(runtime, channel, tag.tag_id) == {"ann", "cyd", "dee"}
    assert await members_of(runtime, channel, other.tag_id) == {"ann", "ben", "cyd", "dee"}
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_another_list_of_ads_gives_and_takes(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    await follow(runtime, channel, "ann", "1")
    await follow(runtime, channel, "ben", "2")

    edited = await edit_ad_tag(runtime, tag, "2")
    assert await members_of(runtime, channel, tag.tag_id) == {"ben"}
    assert edited.version == tag.version + 1
    assert (await causes(runtime))[-1] == ChangeCause.TAG_EDITED
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_the_same_list_again_touches_nobody(runtime: Runtime, channel: Channel) -> None:
    await follow(runtime, channel, "ann", "1")
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    before = await causes(runtime)

    await edit_ad_tag(runtime, tag, "1", " 1\n\n")
    assert await causes(runtime) == before


async def test_the_feed_before_the_follow_and_after_it_end_the_same(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    clock.advance(MINUTE)
    await record_ad_follow_of(runtime, channel, "ann", START, "1")
    assert await members_of(runtime, channel, tag.tag_id) == {"ann"}
    assert (await causes(runtime))[-1] == ChangeCause.AD_FEED
    await follow(runtime, channel, "ann")
    await follow(runtime, channel, "ben")
    await record_ad_follow_of(runtime, channel, "ben", START, "1")

    assert await members_of(runtime, channel, tag.tag_id) == {"ann", "ben"}
    tags = await default_tags(runtime, channel, "ann")
    assert DefaultTagRule.ADVERTISING in tags
    assert await default_tags(runtime, channel, "ben") == tags


async def test_somebody_named_by_the_ad_feed_before_any_follow_has_no_default_tag(
    runtime: Runtime, channel: Channel
) -> None:
    await record_ad_follow_of(runtime, channel, "ann", START, "1")

    assert await tags_by_openid(runtime, channel) == {"ann": set()}


async def test_the_same_call_again_changes_nothing(runtime: Runtime, channel: Channel) -> None:
    await make_ad_tag(runtime, channel, "Spring", "1")
    await record_ad_follow_of(runtime, channel, "ann", START, "1")
    before = await causes(runtime)

    await record_ad_follow_of(runtime, channel, "ann", START, "1")
    await record_ad_follow_of(runtime, channel, "ann", START - MINUTE, "1")
    assert await causes(runtime) == before
    assert await runtime.pool.fetchval("select followed_at from user_ad") == START


async def test_a_deleted_tag_is_left_alone(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    await runtime.pool.execute("update tag set deleted_at = $1 where tag_id = $2", START, tag.tag_id)
    await follow(runtime, channel, "ann", "1")
    await record_ad_follow_of(runtime, channel, "ben", START, "1")

    assert await members_of(runtime, channel, tag.tag_id) == set()
    assert (await verify_channel(runtime, channel, repair=False)).clean
    await make_ad_tag(runtime, channel, "Spring", "1")


async def test_what_a_crash_left_uncompared_is_finished(runtime: Runtime, channel: Channel) -> None:
    await follow(runtime, channel, "ann", "1")
    tag = await make_ad_tag(runtime, channel, "Spring", "2")
    await confirm_ad_address(runtime, channel)
    await runtime.pool.execute("update ad_tag set edition = 2")
    await runtime.pool.execute("update ad_tag_ad set ad_id = '1'")
    await runtime.pool.execute("update tag set state = 'PENDING' where tag_id = $1", tag.tag_id)
    assert await confirm_ad_address(runtime, channel) == [], "its members are not complete"

    assert await resume_ad_tag_updates(runtime, channel.channel_id) == 1
    assert await members_of(runtime, channel, tag.tag_id) == {"ann"}
    assert await runtime.pool.fetchval("select state from tag where tag_id = $1", tag.tag_id) == "ACTIVE"
    assert await resume_ad_tag_updates(runtime, channel.channel_id) == 0


async def test_verify_finds_and_repairs_wrong_ad_tags(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    await follow(runtime, channel, "ann", "1")
    await follow(runtime, channel, "ben")
    await runtime.pool.execute(
        "update tag_members set members = set_bit(set_bit(members, 0, 0), 1, 1) where tag_id = $1", tag.tag_id
    )

    assert (await verify_channel(runtime, channel, repair=False)).wrong_users == 2
    assert (await verify_channel(runtime, channel, repair=True)).wrong_users == 2
    assert await members_of(runtime, channel, tag.tag_id) == {"ann"}
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_a_combo_waits_for_an_ad_tag_and_lapses_with_it(runtime: Runtime, channel: Channel) -> None:
    tag = await make_ad_tag(runtime, channel, "Spring", "1")
    await follow(runtime, channel, "ann", "1")
    combo = await make_combo(runtime, channel, "New from spring", all_of(leaf(tag.tag_id), leaf(1)))
    await rescue_combos(runtime, channel.channel_id)
    assert await state_of(runtime, channel, combo.tag_id) is TagState.PENDING
    assert isinstance(runtime.queue, RecordingQueue)
    runtime.queue.tasks.clear()

    await confirm_ad_address(runtime, channel)
    assert [name for name, *_ in runtime.queue.tasks] == [TaskName.ACTIVATE_COMBO]
    await rescue_combos(runtime, channel.channel_id)
    assert await state_of(runtime, channel, combo.tag_id) is TagState.ACTIVE
    await delete_tag(runtime, admin(), channel.channel_id, tag.tag_id)
    assert await state_of(runtime, channel, combo.tag_id) is TagState.LAPSED
    await clear_members(runtime, channel.channel_id)
    await record_ad_follow_of(runtime, channel, "ben", START, "1")
    assert await members_of(runtime, channel, tag.tag_id) == set()
    assert (await verify_channel(runtime, channel, repair=False)).clean
