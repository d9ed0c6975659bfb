"""Keep the feed going when its database connections die."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.entities.channels import Channel
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.logged_changes import changes_of
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, Page, block_version, check_deltas, page

BROKEN = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
)
TERMINATE = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid() and application_name = 'user-tags'
"""


@pytest.fixture
async def operator(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def test_terminated_connections_lose_nothing(
    west: FeedProcess, east: FeedProcess, channel: Channel, operator: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        for turn in range(12):
            await _insist(
                west, channel, EventKind.MESSAGE if turn == 0 else (EventKind.UNFOLLOW, EventKind.FOLLOW)[turn % 2]
            )
            if turn % 3 == 0:
                await operator.execute(TERMINATE)
        lines = await changes_of(west, channel, "ann")
        events = await ann.wait_for_events(len(lines))
        check_deltas(events)
        assert [block_version(event) for event in events] == [line.version for line in lines]


async def _insist(process: FeedProcess, channel: Channel, kind: EventKind) -> None:
    """Try again what failed with the connection; facts are maxima, so twice is as good as once."""
    while True:
        try:
            return await process.record_events_of(channel, kind, "ann")
        except BROKEN:
            await asyncio.sleep(0)


async def test_a_lock_that_holds_up_one_read_delays_and_loses_nothing(
    west: FeedProcess, east: FeedProcess, channel: Channel, operator: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    pages = [Page(east, channel, "ann")]
    await pages[0].wait_for_events(1)
    async with operator.transaction():
        await operator.execute("lock table user_tag_change in access exclusive mode")
        writing = asyncio.create_task(west.record_events_of(channel, EventKind.MESSAGE, "ann"))
        pages += [Page(east, channel, "ann") for _ in range(2)]
        for opened in pages:
            await opened.wait_for_tags(JUST_FOLLOWED)
    await writing
    await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
    for opened in pages:
        events = await opened.wait_for_events(3)
        assert [event.tags for event in events] == [JUST_FOLLOWED, JUST_WROTE, NO_TAGS]
        await opened.close()


async def test_a_read_that_is_cut_off_is_read_again(
    west: FeedProcess, east: FeedProcess, channel: Channel, operator: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        async with operator.transaction():
            await west.record_events_of(channel, EventKind.MESSAGE, "ann")
            await ann.wait_for_tags(JUST_WROTE)
            await operator.execute("lock table block_head in access exclusive mode")
            writing = asyncio.create_task(_insist(west, channel, EventKind.UNFOLLOW))
            await operator.execute(TERMINATE)
        await writing
        await ann.wait_for_tags(NO_TAGS)
        check_deltas(ann.events)
