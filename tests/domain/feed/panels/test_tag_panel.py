"""Tell the tag panel of each change of a tag and of its number of members."""

import asyncio
from collections import Counter

import pytest

from service.domain.channels.binding import unbind_channel
from service.domain.feed import panel_watch, tag_panel
from service.domain.feed.panel_watch import COUNT_INTERVAL
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.channels import Channel
from service.entities.principal import Role
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess, feed_process
from tests.domain.feed.open_panel import panel, viewer
from tests.domain.feed.tag_changes import change_members, change_tags, delete, hide, make_tag, rename, show
from tests.support.clock import TickingClock
from tests.support.runtime import admin, bind
from tests.support.waiting import wait_until

APPLE = 20
COUNTED = {1, 4, 5, 8}


async def test_the_life_of_a_tag_is_sent_as_it_happens(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    async with panel(east, channel) as shown:
        await make_tag(west, channel, APPLE, "Apple")
        await shown.wait_for_events(("CREATED", APPLE))
        await change_tags(west, channel, [rename(APPLE, "Apfel")])
        await change_tags(west, channel, [hide(APPLE)], ChangeCause.TAG_LAPSED)
        await change_tags(west, channel, [show(APPLE)])
        await change_tags(west, channel, [delete(APPLE)], ChangeCause.TAG_DELETED)
        kinds = ("CREATED", "UPDATED", "STATE_CHANGED", "STATE_CHANGED", "DELETED")
        await shown.wait_for_events(*((kind, APPLE) for kind in kinds))
        last = shown.events[-1][1].catalogue.tags[APPLE]
        assert (last.name, last.deleted_at is None) == ("Apfel", False)


async def test_counts_are_sent_once_a_second_at_most_and_the_last_one_is_right(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    loop_time = asyncio.get_running_loop().time
    async with panel(east, channel) as shown:
        began = loop_time()
        for number in range(30):
            await west.record_events_of(channel, EventKind.FOLLOW, f"person-{number}")
        counts = east.hub._panels[channel.channel_id]
        await wait_until(lambda: counts._counts.get(1) and counts._counts[1].members == 30)
        await wait_until(lambda: shown.received and len(shown.received) % len(COUNTED) == 0)
        seconds = loop_time() - began
        assert {kind for kind, _ in shown.received} == {"COUNT_CHANGED"}
        times = Counter(tag_id for _, tag_id in shown.received)
        assert times.keys() == COUNTED
        assert max(times.values()) <= 1 + seconds / COUNT_INTERVAL


async def test_a_count_that_is_read_before_its_tag_is_told_after_it(
    database_url: str, redis_url: str, clock: TickingClock, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(panel_watch, "COUNT_INTERVAL", 0)
    async with (
        feed_process(database_url, redis_url, clock, drop_notifications=True) as mute,
        panel(mute, channel) as shown,
    ):
        await make_tag(mute, channel, APPLE, "Apple")
        await change_members(mute, channel, APPLE, "ann")
        watch = mute.hub._panels[channel.channel_id]
        members, tags = (ChangeNotification(channel.channel_id, block, 1) for block in (0, None))
        counted_before = watch._counted
        watch.notify(members)
        await wait_until(lambda: watch._counted > counted_before)
        watch.notify(tags)
        await shown.wait_for_event("CREATED", APPLE)
        watch.notify(members)
        await shown.wait_for_events(("CREATED", APPLE), ("COUNT_CHANGED", APPLE))


async def test_the_gate_resets_the_panel(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    async with panel(east, channel) as shown:
        await unbind_channel(west.runtime, admin(), channel.channel_id)
        await shown.wait_for_events(("RESET", None))
        assert shown.events[0][1].catalogue.living() == []
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        await bind(west.runtime, channel.app_id)
        await shown.wait_for_events(("RESET", None), ("RESET", None))
        assert len(shown.events[1][1].catalogue.living()) == 8


async def test_all_channels_are_watched_and_one_bound_later_joins_even_when_the_others_are_busy(
    west: FeedProcess, east: FeedProcess, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tag_panel, "CHANNEL_POLL_INTERVAL", 0.3)
    async with panel(east, None) as shown:
        await wait_until(lambda: channel.channel_id in east.hub._panels)
        await wait_until(lambda: bool(east.hub._panels[channel.channel_id]._mailboxes))
        later = await bind(west.runtime)

        async def a_busy_moment() -> bool:
            number = len(shown.events)
            await change_tags(west, channel, [rename(1, f"Newcomer {number}")])
            return any(update.channel_id == later.channel_id for _, update in shown.events)

        await wait_until(a_busy_moment)
        assert {update.kind for _, update in shown.events if update.channel_id == later.channel_id} == {"RESET"}
        await make_tag(west, later, APPLE, "Apple")
        await shown.wait_for_event("CREATED", APPLE)


async def test_a_narrowed_token_and_another_robot_see_only_their_channels(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    mine = await bind(west.runtime)
    foreign = await bind(west.runtime, robot_id="robot-2")
    narrowed = viewer(Role.INTEGRATOR, only=[mine])
    async with panel(east, None, principal=narrowed) as shown, panel(east, None) as everything:
        await wait_until(lambda: east.hub._panels.keys() == {channel.channel_id, mine.channel_id})
        await wait_until(lambda: len(east.hub._panels[mine.channel_id]._mailboxes) == 2)
        await wait_until(lambda: bool(east.hub._panels[channel.channel_id]._mailboxes))
        for number, each in enumerate((foreign, channel, mine)):
            await make_tag(west, each, APPLE + number, "Apple")
        await shown.wait_for_events(("CREATED", APPLE + 2))
        await everything.wait_for_event("CREATED", APPLE + 1)
        await everything.wait_for_event("CREATED", APPLE + 2)
        assert ("CREATED", APPLE) not in everything.received


async def test_a_closed_panel_leaves_nothing(west: FeedProcess, channel: Channel) -> None:
    async with panel(west, channel) as shown:
        await change_members(west, channel, 1, "ann")
        await shown.wait_for_events(("COUNT_CHANGED", 1))
        await change_members(west, channel, 1, "bob")
    assert not west.hub._panels
