"""Give back all that a page held when it closes."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from service.entities.channels import Channel
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, NO_TAGS, Page, page
from tests.support.runtime import bind
from tests.support.waiting import wait_until


@pytest.fixture
async def valkey(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as connection:
        yield connection


async def _topics(valkey: Redis) -> set[bytes]:
    return {topic for topic in await valkey.pubsub_channels("user-tags:wake:*") if isinstance(topic, bytes)}


def _watching() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if "Watch of" in task.get_name()]


async def test_the_last_page_of_a_channel_takes_its_topic_and_its_task_along(
    west: FeedProcess, channel: Channel, valkey: Redis
) -> None:
    other = await bind(west.runtime)
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    topics = {each.channel_id: f"user-tags:wake:{each.channel_id}".encode() for each in (channel, other)}

    async def listening_to(*channels: Channel) -> bool:
        return await _topics(valkey) == {topics[each.channel_id] for each in channels}

    async with page(west, other, "ann"):
        async with page(west, channel, "ann") as ann, page(west, channel, "nobody") as nobody:
            await ann.wait_for_events(1)
            await nobody.wait_for_events(1)
            await wait_until(lambda: listening_to(channel, other))
            assert west.hub.subscriber_count == 3
            await nobody.close()
            assert await listening_to(channel, other)
        assert west.hub.subscriber_count == 1
        await wait_until(lambda: listening_to(other))
        await wait_until(lambda: _watching() == [f"ChannelWatch of {other.channel_id}"])
    await wait_until(listening_to)
    await wait_until(lambda: not _watching())
    assert west.hub.subscriber_count == 0


async def test_a_block_without_pages_is_not_read_any_more(west: FeedProcess, channel: Channel) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(west, channel, "nobody") as nobody:
        await nobody.wait_for_events(1)
        watch = west.hub._watches[channel.channel_id]
        async with page(west, channel, "ann") as ann, page(west, channel, "bob") as bob:
            await ann.wait_for_events(1)
            await bob.wait_for_events(1)
            assert set(watch._blocks[0].readers) == {0, 1}
            await bob.close()
            assert set(watch._blocks[0].readers) == {0}
        assert not watch._blocks
        assert set(watch._unknown) == {"nobody"}


async def test_pages_that_open_and_close_in_a_hurry_leave_nothing(
    west: FeedProcess, channel: Channel, valkey: Redis
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    for turn in range(60):
        hasty = Page(west, channel, "ann" if turn % 2 else "nobody")
        for _ in range(turn % 12):
            await asyncio.sleep(0)
        await hasty.close()
    assert west.hub.subscriber_count == 0
    assert not west.hub._watches
    await wait_until(lambda: not _watching())

    async def no_topics() -> bool:
        return not await _topics(valkey)

    await wait_until(no_topics)
    async with page(west, channel, "ann") as ann:
        await ann.wait_for_tags(JUST_FOLLOWED)
        await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
        await ann.wait_for_tags(NO_TAGS)


async def test_closing_the_hub_ends_its_tasks_whatever_is_open(west: FeedProcess, channel: Channel) -> None:
    async with page(west, channel, "ann") as ann:
        await ann.wait_for_events(1)
        await west.hub.close()
        assert not _watching()
