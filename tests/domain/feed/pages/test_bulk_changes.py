"""Deliver changes of many people at once, and of people in several blocks."""

from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, check_deltas, page
from tests.support.waiting import wait_until


async def test_a_bulk_change_reaches_pages_and_is_replayed_by_cursor(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    crowd = [f"person-{number}" for number in range(310)]
    async with page(east, channel, crowd[0]) as first, page(west, channel, crowd[309]) as last:
        await first.wait_for_events(1)
        await last.wait_for_events(1)
        await west.record_events_of(channel, EventKind.FOLLOW, *crowd)
        await west.record_events_of(channel, EventKind.MESSAGE, *crowd[:100])
        await west.record_events_of(channel, EventKind.UNFOLLOW, *crowd[:301])
        await west.record_events_of(channel, EventKind.UNFOLLOW, *crowd[301:])
        await first.wait_for_tags(NO_TAGS)
        await last.wait_for_tags(NO_TAGS)
        forms = await west.runtime.pool.fetchrow(
            "select count(added) > 0, count(added_offsets) > 0, count(removed) > 0 from bulk_tag_change"
        )
        assert forms is not None
        assert tuple(forms) == (True, True, True), "long lists are kept as bits, shorter ones as offsets"
        for opened in (first, last):
            check_deltas(opened.events)
    await west.record_events_of(channel, EventKind.FOLLOW, *crowd)
    async with page(east, channel, crowd[0]) as first, page(east, channel, crowd[309]) as last:
        start = [(await first.wait_for_events(1))[0], (await last.wait_for_events(1))[0]]
        cursors = [first.cursor, last.cursor]
    await west.record_events_of(channel, EventKind.MESSAGE, *crowd[:200])
    await west.record_events_of(channel, EventKind.UNFOLLOW, *crowd)
    async with page(west, channel, crowd[0], cursors[0]) as first, page(west, channel, crowd[309], cursors[1]) as last:
        await first.wait_for_tags(NO_TAGS)
        await last.wait_for_tags(NO_TAGS)
        assert (start[0].tags, start[1].tags) == (JUST_WROTE, JUST_FOLLOWED)
        assert [event.removed for event in first.events] == [JUST_WROTE]
        assert [event.removed for event in last.events] == [JUST_FOLLOWED]
        assert not any(event.reset for event in (*first.events, *last.events))


async def test_a_bulk_change_is_one_event_of_all_its_tags(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    crowd = [f"person-{number}" for number in range(70)]
    await west.record_events_of(channel, EventKind.FOLLOW, *crowd)
    await west.record_events_of(channel, EventKind.UNFOLLOW, *crowd)
    async with page(east, channel, crowd[33]) as somebody:
        cursor = (await somebody.wait_for_events(1))[0].cursor
        await west.record_events_of(channel, EventKind.FOLLOW, *crowd)
        event = (await somebody.wait_for_events(2))[1]
        assert (event.added, event.removed) == (JUST_FOLLOWED, NO_TAGS)
        assert cursor.block_revision is not None
        assert event.cursor.block_revision is not None
        assert event.cursor.block_revision.version == cursor.block_revision.version + 1


async def test_people_of_several_blocks_are_told_apart(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    for block, openid in ((1, "bob"), (3, "cat")):
        await west.runtime.pool.execute("update channel_state set next_ordinal = $1", block * BLOCK_SIZE)
        await west.record_events_of(channel, EventKind.FOLLOW, openid)
    async with (
        page(east, channel, "ann") as ann,
        page(east, channel, "bob") as bob,
        page(east, channel, "cat") as cat,
        page(east, channel, "dan") as dan,
    ):
        for opened in (ann, bob, cat):
            await opened.wait_for_tags(JUST_FOLLOWED)
        await dan.wait_for_events(1)
        await west.record_events_of(channel, EventKind.MESSAGE, "ann", "cat", "dan")
        await west.record_events_of(channel, EventKind.UNFOLLOW, "bob")
        await ann.wait_for_tags(JUST_WROTE)
        await bob.wait_for_tags(NO_TAGS)
        await cat.wait_for_tags(JUST_WROTE)
        await wait_until(lambda: bool(dan.tags))
        assert [opened.events[-1].cursor.ordinal for opened in (ann, bob, cat, dan)] == [
            0,
            BLOCK_SIZE,
            3 * BLOCK_SIZE,
            3 * BLOCK_SIZE + 1,
        ]
        assert [len(opened.events) for opened in (ann, bob, cat, dan)] == [2, 2, 2, 2]
        cursor = bob.cursor
    await west.record_events_of(channel, EventKind.FOLLOW, "bob")
    async with page(west, channel, "bob", cursor) as bob:
        assert [event.reset for event in await bob.wait_for_events(1)] == [False]


async def test_the_last_place_of_a_block_and_the_first_of_the_next(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.runtime.pool.execute("update channel_state set next_ordinal = $1", BLOCK_SIZE - 1)
    await west.record_events_of(channel, EventKind.FOLLOW, "last", "first")
    async with page(east, channel, "last") as last, page(east, channel, "first") as first:
        await last.wait_for_events(1)
        await first.wait_for_events(1)
        await west.record_events_of(channel, EventKind.MESSAGE, "last", "first")
        await last.wait_for_tags(JUST_WROTE)
        await first.wait_for_tags(JUST_WROTE)
        assert (last.events[1].cursor.ordinal, first.events[1].cursor.ordinal) == (BLOCK_SIZE - 1, BLOCK_SIZE)
