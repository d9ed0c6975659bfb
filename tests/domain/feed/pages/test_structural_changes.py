"""Change what pages show without a change of bits: by the gate, and by tags that come, go and are renamed."""

from collections.abc import Coroutine

from service.domain.channels.binding import unbind_channel
from service.domain.feed.cursors import encode_cursor
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.feed import UserTagsUpdate
from service.entities.tags import DefaultTagRule, TagState
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, block_version, check_deltas, page
from tests.domain.feed.tag_changes import change_members, change_tags, delete, hide, make_tag, rename, show
from tests.support.runtime import admin, bind
from tests.support.waiting import wait_until

APPLE, PEAR = 20, 21


async def test_closing_the_gate_empties_open_pages_and_binding_again_fills_them(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(east, channel, "ann") as ann, page(east, channel, "nobody") as nobody:
        await ann.wait_for_events(1)
        await nobody.wait_for_events(1)
        await unbind_channel(west.runtime, admin(), channel.channel_id)
        events = await ann.wait_for_events(2)
        assert [(event.reset, event.tags, event.cause) for event in events[1:]] == [(True, NO_TAGS, None)]
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await bind(west.runtime, channel.app_id)
        await ann.wait_for_tags(JUST_WROTE)
        assert ann.events[2].reset
        check_deltas(ann.events)
        assert [event.reset for event in await nobody.wait_for_events(3)] == [True, True, True]


async def test_a_page_opened_while_the_gate_is_closed_is_empty_until_it_opens(
    west: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    await unbind_channel(west.runtime, admin(), channel.channel_id)
    async with page(west, channel, "ann") as ann:
        assert (await ann.wait_for_events(1))[0].tags == NO_TAGS
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await change_tags(west, channel, [rename(3, "Has opened")])
        await bind(west.runtime, channel.app_id)
        await ann.wait_for_tags(JUST_WROTE)
        assert ann.events[1].reset


async def test_tags_that_are_hidden_shown_and_deleted_leave_and_enter_open_pages(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, APPLE, "Apple")
    await change_members(west, channel, APPLE, "ann")
    async with page(east, channel, "ann") as ann, page(east, channel, "bob") as bob:
        await ann.wait_for_events(1)
        await bob.wait_for_events(1)
        await change_tags(west, channel, [hide(APPLE)], ChangeCause.TAG_LAPSED)
        await change_tags(west, channel, [show(APPLE)], ChangeCause.COMBO_REFRESHED)
        await change_tags(west, channel, [delete(APPLE)], ChangeCause.TAG_DELETED)
        events = await ann.wait_for_events(4)
        apple = frozenset({APPLE})
        assert [(event.cause, event.tags, event.added, event.removed) for event in events[1:]] == [
            (ChangeCause.TAG_LAPSED, NO_TAGS, NO_TAGS, apple),
            (ChangeCause.COMBO_REFRESHED, apple, apple, NO_TAGS),
            (ChangeCause.TAG_DELETED, NO_TAGS, NO_TAGS, apple),
        ]
        await west.record_events_of(channel, EventKind.FOLLOW, "bob")
        assert len(await bob.wait_for_events(2)) == 2, "a user without the tag receives nothing of it"


async def test_a_renamed_tag_is_sent_as_updated_to_those_who_show_it(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, APPLE, "Apple")
    await make_tag(west, channel, PEAR, "Pear", state=TagState.PENDING)
    await change_members(west, channel, APPLE, "ann")
    await change_members(west, channel, PEAR, "ann")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        await change_tags(west, channel, [rename(APPLE, "Apfel")])
        event = (await ann.wait_for_events(2))[1]
        assert (event.cause, event.added, event.removed) == (ChangeCause.TAG_EDITED, NO_TAGS, NO_TAGS)
        assert event.updated == event.tags == frozenset({APPLE})
        assert event.catalogue.tags[APPLE].name == "Apfel"


async def test_several_lines_of_one_version_make_one_event(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, APPLE, "Apple")
    await make_tag(west, channel, PEAR, "Pear", state=TagState.LAPSED)
    await change_members(west, channel, APPLE, "ann")
    await change_members(west, channel, PEAR, "ann")
    async with page(east, channel, "ann") as ann:
        before = (await ann.wait_for_events(1))[0]
        version = await change_tags(west, channel, [hide(APPLE), show(PEAR)])
        event = (await ann.wait_for_events(2))[1]
        assert (event.added, event.removed) == (frozenset({PEAR}), frozenset({APPLE}))
        assert (before.cursor.tag_revision.version, event.cursor.tag_revision.version) == (version - 1, version)
        cursor = ann.cursor
    async with page(west, channel, "ann", cursor) as ann:
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        assert (await ann.wait_for_events(1))[0].added == JUST_FOLLOWED, "the version is not sent again"


async def test_a_cursor_resumes_across_both_logs_in_the_order_of_their_instants(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, APPLE, "Apple")
    await make_tag(west, channel, PEAR, "Pear")
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(west, channel, "ann") as ann:
        for count, act in enumerate(_a_mixed_history(west, channel), 1):
            await ann.wait_for_events(count)
            await act
        live = await ann.wait_for_events(10)
    check_deltas(live)
    for position, seen in enumerate(live[:-1], 1):
        async with page(east, channel, "ann", encode_cursor(seen.cursor)) as again:
            received = await again.wait_for_events(len(live) - position)
            assert [_said(event) for event in received] == [_said(event) for event in live[position:]]


def _a_mixed_history(process: FeedProcess, channel: Channel) -> list[Coroutine[None, None, object]]:
    """Do nine acts, each of which changes what ann shows."""
    return [
        change_tags(process, channel, [hide(DefaultTagRule.TOUCHABLE)]),
        process.record_events_of(channel, EventKind.MESSAGE, "ann"),
        change_members(process, channel, APPLE, "ann"),
        change_tags(process, channel, [rename(APPLE, "Apfel")]),
        change_tags(
            process, channel, [hide(APPLE), rename(DefaultTagRule.OPENED, "Has opened"), show(DefaultTagRule.TOUCHABLE)]
        ),
        change_members(process, channel, PEAR, "bob", "ann"),
        process.record_events_of(channel, EventKind.UNFOLLOW, "ann"),
        change_tags(process, channel, [show(APPLE)]),
        process.record_events_of(channel, EventKind.FOLLOW, "ann"),
    ]


def _said(event: UserTagsUpdate) -> tuple[object, ...]:
    places = (block_version(event), event.cursor.tag_revision.version)
    return (event.reset, event.tags, event.added, event.removed, event.updated, event.cause, event.at, places)


async def test_a_hidden_tag_of_a_closed_channel_does_not_show_through_a_cursor(
    west: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    await unbind_channel(west.runtime, admin(), channel.channel_id)
    async with page(west, channel, "ann") as ann:
        await ann.wait_for_events(1)
        cursor = ann.cursor
    await change_tags(west, channel, [hide(DefaultTagRule.NEW_USER)])
    await change_tags(west, channel, [show(DefaultTagRule.NEW_USER)])
    async with page(west, channel, "ann", cursor) as ann:
        await wait_until(lambda: west.hub.subscriber_count and west.hub._watches[channel.channel_id]._blocks)
        await wait_until(lambda: west.runtime.pool.get_idle_size() == west.runtime.pool.get_size())
        assert not ann.events, "nothing is shown, so nothing has changed"
        await bind(west.runtime, channel.app_id)
        assert [(event.reset, event.tags) for event in await ann.wait_for_events(1)] == [(True, JUST_FOLLOWED)]


async def test_more_changes_than_are_retraced_come_as_one_that_still_tells_what_was_renamed(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, APPLE, "Apple")
    await change_members(west, channel, APPLE, "ann")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        cursor = ann.cursor
    await change_tags(west, channel, [rename(APPLE, "Apfel")])
    for turn in range(201):
        await change_members(west, channel, PEAR, "ann", take=bool(turn % 2))
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(east, channel, "ann", cursor) as ann:
        event = (await ann.wait_for_events(1))[0]
        assert (event.reset, event.cause) == (False, ChangeCause.EVENT)
        assert (event.added, event.removed, event.updated) == (JUST_FOLLOWED, NO_TAGS, frozenset({APPLE}))
