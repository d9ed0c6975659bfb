"""Hold what PAUSED and WAITING_FOR_APPROVAL mean to everything that looks for jobs."""

from datetime import timedelta

import pytest

from service.domain.jobs import starting
from service.domain.jobs.lookup import cancel_job
from service.domain.jobs.running import reenqueue_unfinished_jobs
from service.domain.jobs.starting import MAX_UNFINISHED_JOBS, resume_waiting_jobs
from service.domain.runtime import Runtime
from service.entities.broadcasts import WaitReason
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError
from service.entities.jobs import Job, JobKind, JobState
from service.storage import audiences, channels, jobs
from service.storage.broadcasts.broadcast_ledger import set_waiting_for
from tests.domain.jobs.counting_job import EXPORT, make_job, one_more, run, stored
from tests.support.broadcasts import add_broadcast
from tests.support.clock import FrozenClock
from tests.support.runtime import RecordingQueue, admin, bind

STOPPED = [JobState.PAUSED, JobState.WAITING_FOR_APPROVAL]
SET = "update job set state = $3, resumes_at = $4, lease_until = null where channel_id = $1 and job_id = $2"
FREEZE = "insert into frozen_audience (channel_id, job_id, block, members) values ($1, $2, 0, 1::bit(32000))"


async def put(runtime: Runtime, job: Job, state: JobState, resumes_at: object = None) -> None:
    async with runtime.pool.acquire() as conn:
        await conn.execute(SET, job.channel_id, job.job_id, state, resumes_at)


@pytest.mark.parametrize("state", STOPPED)
async def test_a_stopped_job_is_neither_claimed_nor_rescued(
    runtime: Runtime, channel: Channel, clock: FrozenClock, state: JobState
) -> None:
    job = await make_job(runtime, channel)
    await put(runtime, job, state)
    clock.advance(timedelta(days=30))

    assert await reenqueue_unfinished_jobs(runtime) == 0
    left = await run(runtime, job)
    assert (left.state, left.done, left.claim) == (state, 0, 0)


async def test_consent_is_looked_for_where_a_time_is_set(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await make_job(runtime, channel)
    await put(runtime, job, JobState.WAITING_FOR_APPROVAL, clock() + timedelta(minutes=10))

    assert await reenqueue_unfinished_jobs(runtime) == 0
    assert (await run(runtime, job)).state is JobState.WAITING_FOR_APPROVAL
    clock.advance(timedelta(minutes=10))
    assert await reenqueue_unfinished_jobs(runtime) == 1
    assert (await run(runtime, job)).state is JobState.DONE


async def test_a_paused_job_is_not_claimed_whatever_time_was_set(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await make_job(runtime, channel)
    await put(runtime, job, JobState.PAUSED, clock())

    assert await reenqueue_unfinished_jobs(runtime) == 0
    assert (await run(runtime, job)).state is JobState.PAUSED


async def test_a_worker_notices_that_its_job_was_paused_and_writes_nothing(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)

    async def paused_meanwhile(runtime: Runtime, job: Job) -> Job:
        await put(runtime, job, JobState.PAUSED)
        return await one_more(runtime, job)

    left = await run(runtime, job, paused_meanwhile)
    assert (left.state, left.done) == (JobState.PAUSED, 0)


@pytest.mark.parametrize("state", STOPPED)
async def test_a_stopped_job_is_unfinished(runtime: Runtime, channel: Channel, state: JobState) -> None:
    job = await make_job(runtime, channel)
    await put(runtime, job, state)

    async with runtime.pool.acquire() as conn:
        found = await jobs.unfinished_job(conn, job.channel_id, EXPORT)
        assert found is not None
        assert (found.job_id, found.state) == (job.job_id, state)
        assert await jobs.count_unfinished_jobs(conn, job.channel_id, EXPORT) == 1
    for _ in range(MAX_UNFINISHED_JOBS - 1):
        await make_job(runtime, channel)
    with pytest.raises(LimitExceededError):
        await make_job(runtime, channel)


@pytest.mark.parametrize("state", STOPPED)
async def test_a_stopped_job_keeps_what_it_needs_and_is_not_pruned(
    runtime: Runtime, channel: Channel, clock: FrozenClock, state: JobState
) -> None:
    job = await make_job(runtime, channel)
    await put(runtime, job, state)

    async with runtime.pool.acquire() as conn:
        await conn.execute(FREEZE, job.channel_id, job.job_id)
        await audiences.drop_frozen_audiences(conn, job.channel_id)
        await jobs.prune_jobs(conn, job.channel_id, [EXPORT], clock() + timedelta(days=400))
        assert await audiences.frozen_blocks(conn, job.channel_id, job.job_id, start=0, limit=9) != []
    assert (await stored(runtime, job)).state is state


@pytest.mark.parametrize("state", STOPPED)
async def test_a_stopped_job_can_be_cancelled(runtime: Runtime, channel: Channel, state: JobState) -> None:
    job = await make_job(runtime, channel)
    await put(runtime, job, state)

    assert (await cancel_job(runtime, admin(), EXPORT, job.channel_id, job.job_id)).state is JobState.CANCELLED


@pytest.mark.parametrize("reason", WaitReason)
async def test_mended_credentials_wake_only_what_waits_for_wechat(
    runtime: Runtime, channel: Channel, clock: FrozenClock, reason: WaitReason
) -> None:
    later = clock() + timedelta(hours=5)
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = await add_broadcast(conn, channel.channel_id, state=JobState.WAITING)
        await conn.execute(SET, made.channel_id, made.job_id, JobState.WAITING, later)
        await set_waiting_for(conn, made.channel_id, made.job_id, reason)

    await resume_waiting_jobs(runtime, channel.channel_id)

    async with runtime.pool.acquire() as conn:
        job = await jobs.job(conn, made.channel_id, made.job_id)
    assert job is not None
    waits_for_its_time = reason in {
        *(WaitReason.START_TIME, WaitReason.QUIET_HOURS),
        *(WaitReason.HOLIDAY, WaitReason.OPERAND),
    }
    assert job.resumes_at == (later if waits_for_its_time else clock())


async def test_many_broadcasts_of_one_channel_hold_up_no_other(runtime: Runtime, channel: Channel) -> None:
    other = await bind(runtime)
    async with runtime.pool.acquire() as conn, conn.transaction():
        for _ in range(5):
            await add_broadcast(conn, channel.channel_id)
        await add_broadcast(conn, other.channel_id)
        found = await jobs.unfinished_jobs(conn, runtime.clock(), limit=2)

    assert {each.channel_id for each in found} == {channel.channel_id, other.channel_id}


async def test_a_broadcast_is_looked_at_by_workers_like_any_job(runtime: Runtime, channel: Channel) -> None:
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = await add_broadcast(conn, channel.channel_id)
    assert await reenqueue_unfinished_jobs(runtime) == 1
    assert isinstance(runtime.queue, RecordingQueue)
    assert runtime.queue.tasks[-1][1] == (made.channel_id, made.job_id)


async def test_more_broadcasts_than_other_jobs_may_be_scheduled_ahead(
    runtime: Runtime, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert starting.MAX_UNFINISHED_BROADCASTS > MAX_UNFINISHED_JOBS
    monkeypatch.setattr(starting, "MAX_UNFINISHED_BROADCASTS", MAX_UNFINISHED_JOBS + 2)

    async def schedule() -> Job:
        async with runtime.pool.acquire() as conn, conn.transaction():
            await channels.lock_channel_state(conn, channel.channel_id)
            return await starting.start_job(
                conn, runtime, channel, JobKind.BROADCAST, total=None, payload={}, principal=admin()
            )

    for state in (*STOPPED, *[JobState.WAITING] * MAX_UNFINISHED_JOBS):
        await put(runtime, await schedule(), state)
    with pytest.raises(LimitExceededError):
        await schedule()
