"""Never go on from a place that a restored database has not got, or has filled with something else."""

from datetime import timedelta
from urllib.parse import urlsplit

import asyncpg

from service.domain.change_feed.sequencing import sequence_channel
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.domain.change_feed.follower import Follower, follow
from tests.support.clock import FrozenClock
from tests.support.runtime import bind, open_runtime
from tests.support.tags import add_members, make_tag

SECOND = timedelta(seconds=1)


async def types_read(follower: Follower, runtime: Runtime) -> list[str]:
    again = Follower(runtime, follower.channel, follower.position)
    return [each["type"] for each in await again.catch_up()]


async def give(runtime: Runtime, channel: Channel, tag_id: int, *openids: str) -> None:
    for openid in openids:
        await add_members(runtime, channel, tag_id, openid)
        await sequence_channel(runtime, channel.channel_id)


async def test_a_position_from_a_lost_time_is_answered_with_a_reset(
    database_url: str, database_admin: "asyncpg.Connection[asyncpg.Record]", clock: FrozenClock
) -> None:
    name = urlsplit(database_url).path.removeprefix("/")
    copy = f"{name}_copy"
    async with open_runtime(database_url, clock) as runtime:
        channel = await bind(runtime)
        gold = await make_tag(runtime, channel, "Gold", "ann")
        early = await follow(runtime, channel)
    await database_admin.execute(f"create database {copy} template {name} strategy file_copy")
    try:
        async with open_runtime(database_url, clock) as runtime:
            late = await follow(runtime, channel)
            await give(runtime, channel, gold, "lost-1", "lost-2")
            late.runtime = runtime
            assert len(await late.read()) == 2
        clock.advance(SECOND)
        async with open_runtime(database_url.replace(name, copy), clock) as restored:
            assert await types_read(late, restored) == ["feed.reset"]
            # As many entries as were lost, and more.
            await give(restored, channel, gold, "other-1", "other-2", "other-3")
            assert await types_read(late, restored) == ["feed.reset"]
            assert await types_read(early, restored) == ["user.tags_changed"] * 3
    finally:
        await database_admin.execute(f"drop database {copy} with (force)")
