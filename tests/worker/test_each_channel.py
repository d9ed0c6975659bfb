"""Visit every channel, one after the other; one that fails does not hold up the others."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest

from service.domain.ad_tags.members import AdTagDetails, create_ad_tag
from service.domain.events.recorder import record_events
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from service.worker.each_channel import for_each_channel
from service.worker.tasks.ad_tags import complete_ad_tags
from service.worker.tasks.retention import forget_unfollowed_users
from tests.support.processes import worker
from tests.support.runtime import admin, bind
from tests.support.waiting import wait_until
from tests.worker.scheduled_channel import ScheduledChannel

UNFINISHED = "select count(*) from ad_tag where written_edition < edition"


async def make_unfinished(scheduled: ScheduledChannel) -> None:
    details = AdTagDetails("Spring", ["1"], None)
    await create_ad_tag(scheduled.runtime, admin(), scheduled.channel.channel_id, details)
    await scheduled.runtime.pool.execute("update ad_tag set written_edition = 0")


async def test_channels_are_visited_one_by_one_and_a_failure_is_logged_with_its_channel(
    scheduled_channel: ScheduledChannel, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="service.worker.each_channel")
    runtime, first = scheduled_channel.runtime, scheduled_channel.channel
    second, third = await bind(runtime), await bind(runtime)

    async def work(channel: Channel) -> int:
        if channel.channel_id == second.channel_id:
            raise LookupError
        return 0 if channel.channel_id == third.channel_id else 7

    await for_each_channel(runtime, work, "counting")
    assert [record.getMessage() for record in caplog.records] == [
        f"counting of channel {first.channel_id}: 7",
        f"counting of channel {second.channel_id} failed",
    ]
    assert caplog.records[1].exc_info


async def test_only_some_channels_are_visited_when_they_are_named(scheduled_channel: ScheduledChannel) -> None:
    runtime, other = scheduled_channel.runtime, await bind(scheduled_channel.runtime)
    visited = []

    async def work(channel: Channel) -> None:
        visited.append(channel.channel_id)

    await for_each_channel(runtime, work, "visiting", only=[other.channel_id])
    await for_each_channel(runtime, work, "visiting", only=[])
    assert visited == [other.channel_id]


async def test_a_worker_finishes_ad_tags_as_soon_as_it_starts(
    scheduled_channel: ScheduledChannel, tmp_path: Path
) -> None:
    await make_unfinished(scheduled_channel)
    async with worker(scheduled_channel.environment, tmp_path / "worker.log"):

        async def finished() -> bool:
            return not await scheduled_channel.runtime.pool.fetchval(UNFINISHED)

        await wait_until(finished)


async def test_people_are_forgotten_in_every_channel_and_one_that_fails_holds_up_nobody(
    scheduled_channel: ScheduledChannel, caplog: pytest.LogCaptureFixture
) -> None:
    runtime, other = scheduled_channel.runtime, await bind(scheduled_channel.runtime)
    for channel in (scheduled_channel.channel, other):
        for kind in (EventKind.FOLLOW, EventKind.UNFOLLOW):
            await record_events(runtime, channel, [UserEvent("ben", kind, runtime.clock())])
            scheduled_channel.time.advance(timedelta(seconds=2))
    scheduled_channel.time.advance(timedelta(days=31))
    await runtime.pool.execute("update channel_state set user_count = -2147483648 where channel_id = $1", 1)

    await forget_unfollowed_users({"runtime": runtime})
    left = await runtime.pool.fetch("select channel_id from channel_user where openid = 'ben'")
    assert [row["channel_id"] for row in left] == [1]
    assert "forgetting people of channel 1 failed" in caplog.text


async def test_finishing_is_done_channel_by_channel(scheduled_channel: ScheduledChannel) -> None:
    await make_unfinished(scheduled_channel)

    await complete_ad_tags({"runtime": scheduled_channel.runtime})
    assert await scheduled_channel.runtime.pool.fetchval(UNFINISHED) == 0
