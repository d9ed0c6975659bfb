"""Number what happens in followed channels soon after its commit, whether or not notifications arrive."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from service.domain.change_feed.keeper import COMPARE_INTERVAL, FeedKeeper
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeNotification
from service.entities.channels import Channel
from service.foundation.cancellation import cancel_and_wait
from service.valkey.connection import open_valkey
from service.valkey.notifications import ValkeyPublisher
from tests.domain.change_feed.follower import follow
from tests.support.runtime import bind
from tests.support.tags import add_members, make_tag
from tests.support.waiting import wait_until


@asynccontextmanager
async def keeping(
    runtime: Runtime, redis_url: str, appended: list[int], *, compare_interval: float = COMPARE_INTERVAL
) -> AsyncIterator[Redis]:
    """Keep feeds as a worker process does, and list the channels that it tells of."""
    valkey = open_valkey(redis_url, answer_timeout=2)
    keeper = FeedKeeper(runtime, valkey, on_appended=appended.append, compare_interval=compare_interval)
    running = asyncio.create_task(keeper.run())
    try:
        yield valkey
    finally:
        assert not running.done()
        await cancel_and_wait(running)
        await valkey.aclose()


async def test_what_happens_is_numbered_without_any_notification(
    runtime: Runtime, channel: Channel, redis_url: str
) -> None:
    follower = await follow(runtime, channel)
    unfollowed = await bind(runtime)
    appended: list[int] = []
    async with keeping(runtime, redis_url, appended):
        for name in ("Gold", "Silver"):
            await make_tag(runtime, channel, name, "ann")
            await make_tag(runtime, unfollowed, name, "ann")
            read = [await wait_until(follower.read)]
            # What is committed one after the other may be numbered so.
            if len(read[0]) == 1:
                read.append(await wait_until(follower.read))
            assert [each["type"] for part in read for each in part] == ["tag.created", "user.tags_changed"]
    assert set(appended) == {channel.channel_id}


async def test_a_notification_is_followed_at_once(runtime: Runtime, channel: Channel, redis_url: str) -> None:
    follower = await follow(runtime, channel)
    # Nothing is found by comparing.
    async with keeping(runtime, redis_url, [], compare_interval=3600) as valkey:
        publisher = ValkeyPublisher(valkey)
        gold = await make_tag(runtime, channel, "Gold", "ann")

        async def told() -> bool:
            publisher.publish([ChangeNotification(channel.channel_id, 0, 1)])
            return bool(await follower.read())

        await wait_until(told)
        await add_members(runtime, channel, gold, "ben")
        await wait_until(told)
        await publisher.close()


async def test_one_channel_that_fails_does_not_hold_up_others(
    runtime: Runtime, channel: Channel, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR, logger="service.domain.change_feed.keeper")
    broken, other = channel, await bind(runtime)
    for each in (broken, other):
        await follow(runtime, each)
    # A number that the table cannot take.
    await runtime.pool.execute(
        "update feed set last_seq = 2::numeric ^ 63 - 1 where channel_id = $1", broken.channel_id
    )
    appended: list[int] = []
    async with keeping(runtime, redis_url, appended):
        for each in (broken, other):
            await make_tag(runtime, each, "Gold", "ann")
        await wait_until(lambda: appended == [other.channel_id])
        await wait_until(lambda: any(str(broken.channel_id) in each.getMessage() for each in caplog.records))
