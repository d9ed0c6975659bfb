"""Number what happens in followed channels in worker processes, with and without Valkey."""

from pathlib import Path

from tests.domain.change_feed.follower import follow
from tests.support.processes import worker
from tests.support.servers import free_port
from tests.support.tags import add_members, make_tag
from tests.support.waiting import wait_until
from tests.worker.scheduled_channel import ScheduledChannel


async def test_two_workers_tell_each_change_once(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    runtime, channel = scheduled_channel.runtime, scheduled_channel.channel
    gold = await make_tag(runtime, channel, "Gold")
    follower = await follow(runtime, channel)
    async with (
        worker(scheduled_channel.environment, tmp_path / "first.log"),
        worker(scheduled_channel.environment, tmp_path / "second.log"),
    ):
        for number in range(5):
            await add_members(runtime, channel, gold, f"person-{number}")
            (event,) = await wait_until(follower.read)
            assert event["cause"] == "RETURN_DATA"


async def test_numbering_goes_on_without_valkey(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    runtime, channel = scheduled_channel.runtime, scheduled_channel.channel
    follower = await follow(runtime, channel)
    nowhere = {**scheduled_channel.environment, "REDIS_URL": f"redis://127.0.0.1:{free_port()}/0"}
    async with worker(nowhere, tmp_path / "worker.log") as running:
        await make_tag(runtime, channel, "Gold", "ann")
        told = await wait_until(follower.read)
        assert [each["type"] for each in told] == ["tag.created", "user.tags_changed"]
        await running.wait_for_log("waits for Valkey")
