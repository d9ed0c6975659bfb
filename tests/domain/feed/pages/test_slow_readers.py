"""Send a slow reader fewer, larger events without a gap."""

from contextlib import aclosing

from service.domain.channels.binding import unbind_channel
from service.domain.feed.panel_watch import merge_updates
from service.entities.channels import Channel
from service.entities.feed import PanelUpdate
from service.entities.users import EventKind
from service.foundation.mailbox import MAX_PENDING, Mailbox
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, check_deltas, page
from tests.domain.feed.tag_changes import change_members, change_tags, delete, make_tag, rename
from tests.support.runtime import admin, bind
from tests.support.waiting import wait_until


async def test_more_than_a_mailbox_holds_becomes_one_event(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    stream = east.hub.user_tags(channel.channel_id, "ann", None)
    async with aclosing(stream), page(east, channel, "ann") as quick:
        events = [await anext(stream)]
        await quick.wait_for_events(1)
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        for turn in range(MAX_PENDING):
            await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
            await west.record_events_of(channel, EventKind.FOLLOW, "ann")
            # What a loaded machine reads all at once is too much for the quick one, too.
            await quick.wait_for_events(4 + 2 * turn)
        while events[-1].cursor != quick.events[-1].cursor:
            events.append(await anext(stream))
        assert 2 <= len(events) <= 2 + MAX_PENDING
        check_deltas(events)
        assert events[-1].tags == JUST_WROTE
        await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
        assert (await anext(stream)).removed == JUST_WROTE


async def test_what_cancels_out_is_not_told(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    stream = east.hub.user_tags(channel.channel_id, "ann", None)
    async with aclosing(stream), page(east, channel, "ann") as quick:
        await anext(stream)
        await quick.wait_for_events(1)
        for _ in range((MAX_PENDING + 2) // 2):
            await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
            await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await quick.wait_for_tags(JUST_WROTE)
        late = await anext(stream)
        while late.tags != JUST_WROTE:
            assert not late.tags or late.tags == JUST_FOLLOWED
            late = await anext(stream)
        assert late.cursor == quick.events[-1].cursor


async def test_a_rename_among_many_changes_is_still_told(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, 20, "Apple")
    await change_members(west, channel, 20, "ann")
    stream = east.hub.user_tags(channel.channel_id, "ann", None)
    async with aclosing(stream), page(east, channel, "ann") as quick:
        await anext(stream)
        await quick.wait_for_events(1)
        await change_tags(west, channel, [rename(20, "Apfel")])
        for turn in range(MAX_PENDING):
            await west.record_events_of(channel, EventKind.UNFOLLOW if turn % 2 else EventKind.FOLLOW, "ann")
            await quick.wait_for_events(3 + turn)
        event = await anext(stream)
        assert event.updated == frozenset({20})
        assert event.catalogue.tags[20].name == "Apfel"


async def test_a_reset_among_many_changes_stays_a_reset(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    stream = east.hub.user_tags(channel.channel_id, "ann", None)
    async with aclosing(stream), page(east, channel, "ann") as quick:
        await anext(stream)
        await quick.wait_for_events(1)
        await unbind_channel(west.runtime, admin(), channel.channel_id)
        await bind(west.runtime, channel.app_id)
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await quick.wait_for_tags(JUST_WROTE)
        for turn in range(MAX_PENDING):
            count = len(quick.events)
            await west.record_events_of(channel, EventKind.FOLLOW if turn % 2 else EventKind.UNFOLLOW, "ann")
            await quick.wait_for_events(count + 1)
        event = await anext(stream)
        assert event.reset
        assert event.added == event.tags


async def test_a_slow_panel_keeps_the_newest_event_of_each_tag(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    mailbox: Mailbox[PanelUpdate] = Mailbox(merge_updates)
    async with east.hub.panel(channel.channel_id) as watch, east.runtime.pool.acquire() as conn:
        await watch.join(conn, mailbox, None)
        for number in range(20, 30):
            await make_tag(west, channel, number, f"Fruit {number}")
        for turn in range(MAX_PENDING):
            await change_tags(west, channel, [rename(20, f"Fruit number {turn}")])
        version = await change_tags(west, channel, [delete(21), rename(1, "Newcomer")])
        await wait_until(lambda: mailbox._waiting and mailbox._waiting[-1].position.tag_revision.version == version)
        kinds = {update.tag_id: update.kind for update in merge_updates(list(mailbox._waiting))}
        assert len(mailbox._waiting) <= MAX_PENDING
        assert kinds == dict.fromkeys(range(20, 30), "CREATED") | {21: "DELETED", 1: "UPDATED"}
        watch.leave(mailbox)
