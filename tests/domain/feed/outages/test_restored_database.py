"""Reset pages when a restored database has older versions, or others of the same number."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from service.entities.channels import Channel
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess, feed_process
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, page
from tests.domain.feed.tag_changes import change_tags, rename
from tests.support.clock import TickingClock
from tests.support.waiting import wait_until

KEPT = ("channel_state", "channel_user", "tag", "tag_change", "block_head", "tag_members", "user_tag_change")


@pytest.fixture
async def healing(database_url: str, redis_url: str, clock: TickingClock) -> AsyncIterator[FeedProcess]:
    """Run a process that compares versions all the time."""
    async with feed_process(
        database_url, redis_url, clock, resync_interval=timedelta(milliseconds=100), pool_size=2
    ) as process:
        yield process


async def _back_up(process: FeedProcess) -> None:
    for table in KEPT:
        await process.runtime.pool.execute(f"create table saved_{table} as table {table}")


async def _restore(process: FeedProcess) -> None:
    async with process.runtime.pool.acquire() as conn, conn.transaction():
        for table in reversed(KEPT):
            await conn.execute(f"delete from {table}")  # noqa: S608
        for table in KEPT:
            await conn.execute(f"insert into {table} select * from saved_{table}")  # noqa: S608


async def test_open_pages_and_cursors_begin_afresh(west: FeedProcess, healing: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    await _back_up(west)
    async with page(healing, channel, "ann") as ann, page(healing, channel, "eve") as eve:
        await ann.wait_for_events(1)
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await west.record_events_of(channel, EventKind.FOLLOW, "eve")
        await ann.wait_for_tags(JUST_WROTE)
        await eve.wait_for_tags(JUST_FOLLOWED)
        from_the_lost_future = ann.cursor
        await _restore(west)
        await ann.wait_for_tags(JUST_FOLLOWED)
        await eve.wait_for_tags(NO_TAGS)
        assert ann.events[-1].reset
        assert eve.events[-1].reset
        async with page(healing, channel, "ann", from_the_lost_future) as again:
            assert [(event.reset, event.tags) for event in await again.wait_for_events(1)] == [(True, JUST_FOLLOWED)]
        await west.record_events_of(channel, EventKind.FOLLOW, "eve")
        await eve.wait_for_tags(JUST_FOLLOWED)


async def test_the_same_version_of_another_history_is_noticed(
    database_url: str, redis_url: str, clock: TickingClock, east: FeedProcess, channel: Channel
) -> None:
    async with feed_process(database_url, redis_url, clock, drop_notifications=True) as mute:
        await mute.record_events_of(channel, EventKind.FOLLOW, "ann")
        await _back_up(mute)
        await mute.record_events_of(channel, EventKind.MESSAGE, "ann")
        await change_tags(mute, channel, [rename(1, "Newcomer")])
        async with page(east, channel, "ann") as ann:
            await ann.wait_for_tags(JUST_WROTE)
            cursor = ann.cursor
            await _restore(mute)
            await mute.record_events_of(channel, EventKind.UNFOLLOW, "ann")
            await change_tags(mute, channel, [rename(1, "Beginner")])
            watch = east.hub._watches[channel.channel_id]
            watch.check_everything()
            await ann.wait_for_tags(NO_TAGS)
            await wait_until(lambda: watch._catalogue and watch._catalogue.tags[1].name == "Beginner")
            async with page(east, channel, "ann", cursor) as again:
                assert [(event.reset, event.tags) for event in await again.wait_for_events(1)] == [(True, NO_TAGS)]


async def test_many_pages_opened_before_it_is_noticed_take_no_connection_hostage(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    await _back_up(west)
    async with page(east, channel, "ann") as ann:
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await ann.wait_for_tags(JUST_WROTE)
        await _restore(west)
        async with (
            page(east, channel, "bob") as first,
            page(east, channel, "bob") as second,
            page(east, channel, "bob") as third,
            page(east, channel, "bob") as fourth,
            page(east, channel, "bob") as fifth,
        ):
            for bob in (first, second, third, fourth, fifth):
                await bob.wait_for_tags(JUST_FOLLOWED)
            await ann.wait_for_tags(JUST_FOLLOWED)
