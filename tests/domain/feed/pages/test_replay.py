"""Read the log of a block once for all pages that come back together."""

import asyncio
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from service.domain.feed.change_log_reader import ChangeLogReader, ChangesKey, make_change_log_reader
from service.domain.privacy.retention import prune_channel
from service.entities.blocks import offset_of
from service.entities.channels import Channel
from service.entities.revision import Revision
from service.entities.users import EventKind
from service.storage.blocks.change_log import ChangesSince, changes_since
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import NO_TAGS, page
from tests.support.runtime import counted_statements
from tests.support.waiting import wait_until

HERD = [f"openid-{number}" for number in range(40)]


@pytest.fixture
async def places(west: FeedProcess, channel: Channel) -> dict[int, Revision]:
    """Let everyone follow, one after another, and some do more; return where the block stood at each version."""
    for openid in HERD:
        await west.record_events_of(channel, EventKind.FOLLOW, openid)
    for openid in HERD[::3]:
        await west.record_events_of(channel, EventKind.MESSAGE, openid)
    rows = await west.runtime.pool.fetch("select distinct version, at from user_tag_change order by version")
    return {row["version"]: Revision(row["version"], row["at"]) for row in rows}


async def one_by_one(west: FeedProcess, channel: Channel, asked: list[tuple[Revision, int]]) -> list[ChangesSince]:
    async with west.runtime.pool.acquire() as conn:
        return [await changes_since(conn, channel.channel_id, 0, place, [offset]) for place, offset in asked]


async def together(log: ChangeLogReader, channel: Channel, asked: list[tuple[Revision, int]]) -> list[ChangesSince]:
    return await asyncio.gather(
        *(log.require(ChangesKey(channel.channel_id, 0, place, offset)) for place, offset in asked)
    )


async def test_one_read_answers_all_who_ask_together(
    west: FeedProcess, channel: Channel, places: dict[int, Revision]
) -> None:
    """Each from a version of their own."""
    asked = [(places[1 + number % len(places)], offset_of(number)) for number in range(len(HERD))]

    with counted_statements() as sent:
        found = await together(make_change_log_reader(west.runtime.pool), channel, asked)

    assert sent.count("known_revisions") == 1
    assert found == await one_by_one(west, channel, asked)
    assert any(each.changes for each in found)


async def test_who_asks_meanwhile_is_answered_by_the_next_read(
    west: FeedProcess, channel: Channel, places: dict[int, Revision]
) -> None:
    log = make_change_log_reader(west.runtime.pool)
    asked = [(places[2], number) for number in range(1, len(HERD))]
    with counted_statements() as sent:
        first = asyncio.create_task(log.require(ChangesKey(channel.channel_id, 0, places[1], 0)))
        await wait_until(lambda: "changes_since" in sent)
        found = await together(log, channel, asked)

    assert sent.count("known_revisions") == 2
    assert [await first, *found] == await one_by_one(west, channel, [(places[1], 0), *asked])


async def test_a_version_that_is_forgotten_or_never_was_is_nobody_elses_trouble(
    west: FeedProcess, channel: Channel, places: dict[int, Revision]
) -> None:
    await prune_channel(west.runtime, channel.channel_id, places[10].at)
    another_time = Revision(20, places[20].at + timedelta(seconds=1))
    asked = [(places[3], 3), (places[9], 9), (places[10], 10), (another_time, 20), (places[20], 20)]

    found = await together(make_change_log_reader(west.runtime.pool), channel, asked)

    assert [each.known for each in found] == [False, True, True, False, True]
    assert found[1:3] + found[4:] == await one_by_one(west, channel, asked[1:3] + asked[4:])


async def test_somebody_who_gives_up_leaves_the_others_their_answer(
    west: FeedProcess, channel: Channel, places: dict[int, Revision]
) -> None:
    log = make_change_log_reader(west.runtime.pool)
    asking = [asyncio.create_task(log.require(ChangesKey(channel.channel_id, 0, places[1], each))) for each in (0, 1)]
    await asyncio.sleep(0)
    asking[0].cancel()

    assert [await asking[1]] == await one_by_one(west, channel, [(places[1], 1)])


async def test_a_read_that_fails_says_so_to_everyone(west: FeedProcess, channel: Channel) -> None:
    await west.runtime.pool.close()
    log = make_change_log_reader(west.runtime.pool)

    now = Revision(1, west.runtime.clock())
    answers = await asyncio.gather(
        *(log.require(ChangesKey(channel.channel_id, 0, now, offset)) for offset in (0, 1)), return_exceptions=True
    )

    assert [type(each).__name__ for each in answers] == ["InterfaceError"] * 2


async def test_a_herd_receives_just_what_it_missed(west: FeedProcess, east: FeedProcess, channel: Channel) -> None:
    """Everyone's page was closed at another version; in between everyone left, and some are back."""
    cursors = {}
    for openid in HERD:
        await west.record_events_of(channel, EventKind.FOLLOW, openid)
        async with page(west, channel, openid) as closed:
            await closed.wait_for_events(1)
            cursors[openid] = closed.cursor
    for openid in HERD:
        await west.record_events_of(channel, EventKind.UNFOLLOW, openid)
    for openid in HERD[::2]:
        await west.record_events_of(channel, EventKind.FOLLOW, openid)

    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(page(east, channel, openid, cursors[openid])) for openid in HERD]
        for number, each in enumerate(pages):
            received = await each.wait_for_events(1 if number % 2 else 2)
            assert [event.reset for event in received] == [False] * len(received)
            assert received[0].tags == NO_TAGS
            assert (received[-1].tags == NO_TAGS) == bool(number % 2)


async def test_who_missed_nothing_is_answered_without_the_log(west: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(west, channel, "ann") as left:
        await left.wait_for_events(1)
    with counted_statements() as sent:
        async with page(west, channel, "ann", left.cursor) as back, page(west, channel, "ann") as fresh:
            await fresh.wait_for_events(1)
            await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
            await fresh.wait_for_events(2)
            (gone,) = await back.wait_for_events(1)
    assert (gone.reset, gone.tags) == (False, NO_TAGS)
    assert "known_revisions" not in sent
