"""Pages of people nobody has seen yet."""

import asyncio

from service.entities.channels import Channel
from service.entities.enums import ChangeCause, EventKind
from tests.feed.pages import JUST_FOLLOWED, JUST_WROTE, NOTHING, Page, check_chain, page
from tests.feed.processes import FeedProcess
from tests.feed.tag_states import give, make_tag
from tests.runtimes import ordinals_for


async def test_a_page_is_empty_until_the_person_is_seen(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    async with page(east, channel, "ann") as ann:
        first = (await ann.told(1))[0]
        assert (first.reset, first.tags, first.cursor.ordinal) == (True, NOTHING, None)
        await west.happens(channel, EventKind.FOLLOW, "bob")
        await west.happens(channel, EventKind.FOLLOW, "ann")
        seen = (await ann.told(2))[1]
        assert (seen.reset, seen.cause, seen.added, seen.removed) == (False, ChangeCause.EVENT, JUST_FOLLOWED, NOTHING)
        await west.happens(channel, EventKind.MESSAGE, "ann")
        await ann.shows(JUST_WROTE)
        assert len(ann.events) == 3


async def test_the_cause_is_told_also_when_many_became_known_at_once(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await make_tag(west, channel, 20, "Apple")
    crowd = [f"person-{number}" for number in range(70)]
    async with page(east, channel, crowd[7]) as seventh, page(east, channel, "ann") as ann:
        await seventh.told(1)
        await ann.told(1)
        cursor = seventh.cursor
        await give(west, channel, 20, *crowd)
        await give(west, channel, 20, "ann")
        assert (await seventh.told(2))[1].cause is ChangeCause.RETURN_DATA
        assert (await ann.told(2))[1].cause is ChangeCause.RETURN_DATA
    async with page(west, channel, crowd[7], cursor) as seventh:
        event = (await seventh.told(1))[0]
        assert (event.reset, event.cause, event.added) == (False, ChangeCause.RETURN_DATA, frozenset({20}))


async def test_somebody_known_without_tags_is_followed_from_there(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    async with page(east, channel, "ann") as ann:
        await ann.told(1)
        await ordinals_for(west.runtime, channel, ["ann"])
        await west.happens(channel, EventKind.FOLLOW, "bob")
        await west.happens(channel, EventKind.UNFOLLOW, "ann")
        await west.happens(channel, EventKind.FOLLOW, "ann")
        await ann.shows(JUST_FOLLOWED)
        assert len(ann.events) == 2


async def test_a_cursor_from_before_the_person_was_known_gets_one_net_event(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    async with page(east, channel, "ann") as ann:
        await ann.told(1)
        cursor = ann.cursor
    async with page(west, channel, "ann", cursor) as ann, page(east, channel, "bob") as bob:
        await bob.told(1)
        await west.happens(channel, EventKind.FOLLOW, "ann")
        assert [(event.reset, event.added) for event in await ann.told(1)] == [(False, JUST_FOLLOWED)]
    await west.happens(channel, EventKind.MESSAGE, "ann")
    async with page(east, channel, "ann", cursor) as ann:
        event = (await ann.told(1))[0]
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
            await west.happens(channel, EventKind.FOLLOW, openid)

    await asyncio.gather(open_all(west), meet_all(), open_all(east))
    try:
        for opened in pages:
            await opened.shows(JUST_FOLLOWED)
            check_chain(opened.events)
            assert [event.reset for event in opened.events] == [True, False][: len(opened.events)]
    finally:
        await asyncio.gather(*(opened.close() for opened in pages))
