"""Let a broadcast start where WeChat cannot be called for its channel (docs/specification.md §6.6)."""

from dataclasses import replace

from service.domain.runtime import ActingInstallation
from service.entities.broadcasts import WaitReason
from service.entities.expressions import FOLLOWERS
from service.entities.jobs import JobState
from service.storage.channels import channel_of_robot
from tests.domain.broadcasts.audience.starting import Starter


async def test_without_an_app_secret_it_is_paused(starter: Starter) -> None:
    await starter.runtime.pool.execute("update channel set app_secret = null")
    job = await starter.make(FOLLOWERS)
    async with starter.runtime.pool.acquire() as conn:
        bare = await channel_of_robot(conn, starter.channel.robot_id, starter.channel.channel_id)
    assert bare is not None

    stopped = await replace(starter, channel=bare).start(job)

    assert (stopped.state, stopped.error) == (
        JobState.PAUSED,
        "WeChat cannot be called without the app secret of the channel.",
    )
    assert await starter.waits_for(job) is WaitReason.CONFIGURATION


async def test_where_no_calls_are_made_it_is_paused_for_whoever_runs_the_service(starter: Starter) -> None:
    job = await starter.make(FOLLOWERS)
    settings = replace(starter.runtime.settings, acting=False)
    silent = replace(starter.runtime, settings=settings, acting=ActingInstallation())

    stopped = await replace(starter, runtime=silent).start(job)

    assert stopped.state is JobState.PAUSED
    assert "USER_TAGS_ACTING is off" in (stopped.error or "")
    assert await starter.waits_for(job) is WaitReason.OPERATOR
