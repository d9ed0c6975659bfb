"""Make a job that counts to its total, one slice each, and look at it as it is stored."""

from dataclasses import replace

from service.domain.jobs.running import run_job, save_progress
from service.domain.jobs.starting import start_job
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind, JobState
from service.storage import channels, jobs
from tests.support.runtime import admin

EXPORT = JobKind.AUDIENCE_EXPORT


async def make_job(runtime: Runtime, channel: Channel, total: int = 3) -> Job:
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_channel_state(conn, channel.channel_id)
        return await start_job(conn, runtime, channel, EXPORT, total=total, payload={}, principal=admin())


async def stored(runtime: Runtime, job: Job) -> Job:
    async with runtime.pool.acquire() as conn:
        found = await jobs.job(conn, job.channel_id, job.job_id)
    assert found is not None
    return found


async def one_more(runtime: Runtime, job: Job) -> Job:
    """Count one, and be done at the total."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        done = job.done + 1
        state = JobState.DONE if done == job.total else JobState.RUNNING
        return await save_progress(conn, runtime, replace(job, done=done, state=state))


async def run(runtime: Runtime, job: Job, work: object = one_more) -> Job:
    await run_job(runtime, {EXPORT: work}, job.channel_id, job.job_id)  # type: ignore[dict-item]
    return await stored(runtime, job)
