"""Open pages of people whom the service does not know yet."""

import asyncio

from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, Page, check_deltas, page
from tests.domain.feed.tag_changes import change_members, make_tag
from tests.support.runtime import ordinals_for


async def test_a_page_is_empty_until_the_person_is_seen(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    async with page(east, channel, "ann") as ann:
        first = (await ann.wait_for_events(1))[0]
        assert (first.reset, first.tags, first.cursor.ordinal) == (True, NO_TAGS, None)
        await west.record_events_of(channel, EventKind.FOLLOW, "bob")
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        seen = (await ann.wait_for_events(2))[1]
        assert (seen.reset, seen.cause, seen.added, seen.removed) == (False, ChangeCause.EVENT, JUST_FOLLOWED, NO_TAGS)
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await ann.wait_for_tags(JUST_WROTE)
        assert len(ann.events) == 3


async def test_the_cause_is_sent_also_when_many_became_known_at_once(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, 20, "Apple")
    crowd = [f"person-{number}" for number in range(70)]
    async with page(east, channel, crowd[7]) as seventh, page(east, channel, "ann") as ann:
        await seventh.wait_for_events(1)
        await ann.wait_for_events(1)
        cursor = seventh.cursor
        await change_members(west, channel, 20, *crowd)
        await change_members(west, channel, 20, "ann")
        assert (await seventh.wait_for_events(2))[1].cause is ChangeCause.RETURN_DATA
        assert (await ann.wait_for_events(2))[1].cause is ChangeCause.RETURN_DATA
    async with page(west, channel, crowd[7], cursor) as seventh:
        event = (await seventh.wait_for_events(1))[0]
        assert (event.reset, event.cause, event.added) == (False, ChangeCause.RETURN_DATA, frozenset({20}))


async def test_somebody_known_without_tags_is_followed_from_there(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        await ordinals_for(west.runtime, channel, ["ann"])
        await west.record_events_of(channel, EventKind.FOLLOW, "bob")
        await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        await ann.wait_for_tags(JUST_FOLLOWED)
        assert len(ann.events) == 2


async def test_a_cursor_from_before_the_person_was_known_gets_one_net_event(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        cursor = ann.cursor
    async with page(west, channel, "ann", cursor) as ann, page(east, channel, "bob") as bob:
        await bob.wait_for_events(1)
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        assert [(event.reset, event.added) for event in await ann.wait_for_events(1)] == [(False, JUST_FOLLOWED)]
    await west.record_events_of(channel, EventKind.MESSAGE, "ann")
    async with page(east, channel, "ann", cursor) as ann:
        event = (await ann.wait_for_events(1))[0]
        assert (event.reset, event.cause, event.added) == (False, ChangeCause.EVENT, JUST_WROTE)


async def test_pages_opened_while_people_become_known_all_see_them(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    people = [f"person-{number}" for number in range(40)]
    pages: list[Page] = []

    async def open_all(process: FeedProcess) -> None:
        for openid in people:
            pages.append(Page(process, channel, openid))
            await asyncio.sleep(0)

    async def meet_all() -> None:
        for openid in people:
            await west.record_events_of(channel, EventKind.FOLLOW, openid)

    await asyncio.gather(open_all(west), meet_all(), open_all(east))
    try:
        for opened in pages:
            await opened.wait_for_tags(JUST_FOLLOWED)
            check_deltas(opened.events)
            assert [event.reset for event in opened.events] == [True, False][: len(opened.events)]
    finally:
        await asyncio.gather(*(opened.close() for opened in pages))
