"""What the clock starts besides the default tags: ad tags are finished, and people forgotten."""

from datetime import timedelta
from pathlib import Path

import pytest

from service.domain.ad_tags.members import AdTagDetails, create_ad_tag
from service.domain.events.recorder import record_events
from service.entities.users import EventKind, UserEvent
from service.worker.tasks.ad_tags import complete_ad_tags
from service.worker.tasks.retention import forget_unfollowed_users
from tests.support.processes import worker
from tests.support.runtime import admin, bind
from tests.support.waiting import wait_until
from tests.worker.scheduled_channel import ScheduledChannel

UNFINISHED = "select count(*) from ad_tag where written_edition < edition"


async def make_unfinished(house: ScheduledChannel) -> None:
    details = AdTagDetails("Spring", ["1"], None)
    await create_ad_tag(house.runtime, admin(), house.channel.channel_id, details)
    await house.runtime.pool.execute("update ad_tag set written_edition = 0")


async def test_a_worker_finishes_ad_tags_as_soon_as_it_starts(
    scheduled_channel: ScheduledChannel, tmp_path: Path
) -> None:
    await make_unfinished(scheduled_channel)
    async with worker(scheduled_channel.environment, tmp_path / "worker.log"):

        async def finished() -> bool:
            return not await scheduled_channel.runtime.pool.fetchval(UNFINISHED)

        await wait_until(finished, within=15)


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
