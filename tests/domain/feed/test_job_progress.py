"""Report the progress of a job to its end, by notification or, where one is lost, by comparing."""

from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

from service.domain.jobs.running import run_job, save_progress
from service.domain.jobs.starting import start_job
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind, JobState
from service.storage import channels
from tests.domain.feed.feed_process import FeedProcess, feed_process
from tests.support.clock import TickingClock
from tests.support.runtime import admin, bind

KIND = JobKind.AUDIENCE_EXPORT


async def make_job(runtime: Runtime, channel: Channel) -> Job:
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_channel_state(conn, channel.channel_id)
        return await start_job(conn, runtime, channel, KIND, total=2, payload={}, principal=admin())


async def one_more(runtime: Runtime, job: Job) -> Job:
    async with runtime.pool.acquire() as conn, conn.transaction():
        state = JobState.DONE if job.done == 1 else JobState.RUNNING
        return await save_progress(conn, runtime, replace(job, done=job.done + 1, state=state))


async def work(runtime: Runtime, job: Job) -> None:
    await run_job(runtime, {KIND: one_more}, job.channel_id, job.job_id)


async def test_a_job_is_followed_to_its_end_in_another_process(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    job = await make_job(west.runtime, channel)
    async with aclosing(east.hub.job_progress(job.channel_id, job.job_id)) as states:
        assert await anext(states) == job
        await work(west.runtime, job)
        seen = [state async for state in states]

    assert seen[-1].state is JobState.DONE
    assert [state.done for state in seen] == sorted(state.done for state in seen)


async def test_a_lost_notification_is_made_up_for(database_url: str, redis_url: str, clock: TickingClock) -> None:
    soon = timedelta(milliseconds=50)
    async with feed_process(database_url, redis_url, clock, drop_notifications=True, resync_interval=soon) as process:
        runtime = process.runtime
        job = await make_job(runtime, await bind(runtime))
        async with aclosing(process.hub.job_progress(job.channel_id, job.job_id)) as states:
            assert (await anext(states)).state is JobState.QUEUED
            await work(runtime, job)
            seen = [state async for state in states]
    assert seen[-1].state is JobState.DONE


async def test_a_job_that_is_gone_ends_what_followed_it(database_url: str, redis_url: str, clock: TickingClock) -> None:
    soon = timedelta(milliseconds=50)
    async with feed_process(database_url, redis_url, clock, resync_interval=soon) as process:
        job = await make_job(process.runtime, await bind(process.runtime))
        async with aclosing(process.hub.job_progress(job.channel_id, job.job_id)) as states:
            await anext(states)
            await process.runtime.pool.execute("delete from job")
            assert [state async for state in states] == []


async def test_many_follow_jobs_of_one_channel_and_each_hears_of_its_own(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    first, second = await make_job(west.runtime, channel), await make_job(west.runtime, channel)
    async with (
        aclosing(east.hub.job_progress(first.channel_id, first.job_id)) as one,
        aclosing(east.hub.job_progress(second.channel_id, second.job_id)) as two,
    ):
        assert [(await anext(one)).job_id, (await anext(two)).job_id] == [first.job_id, second.job_id]
        await work(west.runtime, second)
        assert [state.state async for state in two][-1] is JobState.DONE
        await work(west.runtime, first)
        assert {state.job_id async for state in one} == {first.job_id}
