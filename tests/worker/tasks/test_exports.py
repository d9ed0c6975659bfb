"""Finish an export although its worker is killed in the middle of a slice and Valkey is flushed."""

from pathlib import Path

import redis.asyncio as redis

from service.domain.audiences.exports import open_export, read_export, start_export
from service.domain.combos.expressions import to_draft
from service.domain.jobs.running import LEASE_DURATION
from service.entities.blocks import BLOCK_SIZE
from service.entities.expressions import tag
from service.entities.jobs import Job, JobState
from service.storage import jobs
from tests.support.processes import worker
from tests.support.runtime import admin, patient_transaction
from tests.support.tags import openid_of, populate
from tests.support.waiting import wait_until
from tests.worker.scheduled_channel import ScheduledChannel

MEMBERS = {block * BLOCK_SIZE + offset for block in range(20) for offset in (3, 5, 31_999)}


async def export(scheduled: ScheduledChannel) -> Job:
    """Start an export of which nothing reaches Valkey: only the sweep finds it."""
    channel_id = scheduled.channel.channel_id
    draft = to_draft(channel_id, tag(9))
    return await start_export(scheduled.runtime, admin(), channel_id, draft)


async def state_of(scheduled: ScheduledChannel, job: Job) -> JobState:
    async with scheduled.runtime.pool.acquire() as conn:
        found = await jobs.job(conn, job.channel_id, job.job_id)
    assert found is not None
    return found.state


async def openids_in(scheduled: ScheduledChannel, job: Job) -> list[str]:
    file = await open_export(scheduled.runtime, job.channel_id, job.job_id)
    assert file is not None
    text = b"".join([piece async for piece in read_export(scheduled.runtime, file)]).decode()
    return [line.partition(",")[0] for line in text.splitlines()[1:]]


async def test_an_export_survives_its_worker_and_a_flushed_valkey(
    scheduled_channel: ScheduledChannel, tmp_path: Path
) -> None:
    await populate(scheduled_channel.runtime, scheduled_channel.channel, {9: MEMBERS})
    job = await export(scheduled_channel)

    async def is_(state: JobState, job: Job = job) -> bool:
        return await state_of(scheduled_channel, job) is state

    async with (
        patient_transaction(scheduled_channel.runtime) as conn,
        worker(scheduled_channel.environment, tmp_path / "first.log") as first,
    ):
        await conn.execute("lock table export_chunk in exclusive mode")
        await wait_until(lambda: is_(JobState.RUNNING))
        await first.kill()
    async with redis.Redis.from_url(scheduled_channel.environment["REDIS_URL"]) as valkey:
        await valkey.flushdb()
    scheduled_channel.time.advance(LEASE_DURATION)
    async with worker(scheduled_channel.environment, tmp_path / "second.log"):
        await wait_until(lambda: is_(JobState.DONE))
        assert await openids_in(scheduled_channel, job) == [openid_of(each) for each in sorted(MEMBERS)]
        later = await export(scheduled_channel)
        await wait_until(lambda: is_(JobState.DONE, later))
        assert len(await openids_in(scheduled_channel, later)) == len(MEMBERS)
