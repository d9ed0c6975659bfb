"""Run a job in one process at a time by lease; resume, retry and cancel it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.jobs.lookup import cancel_job, find_job, jobs_of_channel
from service.domain.jobs.running import (
    LEASE_DURATION,
    MAX_FAILURES,
    reenqueue_unfinished_jobs,
    run_job,
    save_progress,
)
from service.domain.jobs.starting import MAX_UNFINISHED_JOBS
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import (
    ConflictError,
    ForbiddenError,
    LimitExceededError,
    NotFoundError,
)
from service.entities.jobs import Job, JobChangeNotification, JobState
from service.entities.principal import Role
from tests.domain.jobs.counting_job import EXPORT, make_job, one_more, run, stored
from tests.support.clock import START, FrozenClock
from tests.support.runtime import RecordingPublisher, RecordingQueue, admin, bind


def tasks_of(runtime: Runtime) -> list[str]:
    assert isinstance(runtime.queue, RecordingQueue)
    return [job_id for _, _, job_id in runtime.queue.tasks]


async def test_a_job_is_done_slice_by_slice(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    job = await make_job(runtime, channel)
    assert (job.state, job.progress, job.started_at) == (JobState.QUEUED, 0.0, None)
    seen = []

    async def slowly(runtime: Runtime, job: Job) -> Job:
        seen.append((job.state, job.done, round(job.progress, 2)))
        clock.advance(timedelta(seconds=10))
        return await one_more(runtime, job)

    done = await run(runtime, job, slowly)
    running = JobState.RUNNING
    assert seen == [(running, 0, 0.0), (running, 1, 0.33), (running, 2, 0.67)]
    assert (done.state, done.progress, done.started_at) == (JobState.DONE, 1.0, START)
    assert (done.finished_at, done.lease_until) == (START + timedelta(seconds=30), None)
    assert await run(runtime, job) == done, "a finished job is not taken up again"


async def test_two_workers_do_not_work_on_one_job(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)
    started, go_on = asyncio.Event(), asyncio.Event()

    async def held(runtime: Runtime, job: Job) -> Job:
        started.set()
        await go_on.wait()
        return await one_more(runtime, job)

    first = asyncio.create_task(run(runtime, job, held))
    await started.wait()
    second = await run(runtime, job)
    assert (second.done, second.claim) == (0, 1)
    assert await reenqueue_unfinished_jobs(runtime) == 0
    go_on.set()
    assert (await first).state is JobState.DONE


async def test_a_job_left_by_a_dead_worker_goes_on_where_it_stopped(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await make_job(runtime, channel)

    async def dies(runtime: Runtime, job: Job) -> Job:
        if job.done == 1:
            raise SystemExit  # Like kill -9: nothing that could clean up sees it.
        return await one_more(runtime, job)

    with pytest.raises(SystemExit):
        await run(runtime, job, dies)
    assert await reenqueue_unfinished_jobs(runtime) == 0, "its lease still runs"
    clock.advance(LEASE_DURATION)
    assert await reenqueue_unfinished_jobs(runtime) == 1
    assert tasks_of(runtime) == [f"job:{job.channel_id}:{job.job_id}:1"], "another id than the first time"
    done = await run(runtime, job)
    assert (done.state, done.done, done.claim) == (JobState.DONE, 3, 2)


async def test_who_was_taken_for_dead_writes_nothing(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    job = await make_job(runtime, channel)
    written = []

    async def falls_asleep(runtime: Runtime, job: Job) -> Job:
        clock.advance(2 * LEASE_DURATION)
        await run_job(runtime, {EXPORT: one_more}, job.channel_id, job.job_id)
        async with runtime.pool.acquire() as conn, conn.transaction():
            await conn.execute("insert into robot values ('from-the-grave', $1)", clock())
            written.append(await save_progress(conn, runtime, replace(job, done=1)))
        return written[0]

    done = await run(runtime, job, falls_asleep)
    assert (done.state, done.done, written) == (JobState.DONE, 3, [])
    assert not await runtime.pool.fetchval("select count(*) from robot where robot_id = 'from-the-grave'")


async def test_a_slice_that_fails_is_tried_again_later_and_not_for_ever(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await make_job(runtime, channel)

    async def fails(runtime: Runtime, job: Job) -> Job:
        raise ZeroDivisionError

    pauses = []
    for _ in range(MAX_FAILURES - 1):
        waiting = await run(runtime, job, fails)
        assert waiting.state is JobState.WAITING
        assert waiting.resumes_at is not None
        assert await reenqueue_unfinished_jobs(runtime) == 0
        assert await run(runtime, job) == waiting, "it is not due"
        pauses.append(waiting.resumes_at - clock())
        clock.now = waiting.resumes_at
        assert await reenqueue_unfinished_jobs(runtime) == 1
    assert pauses == [timedelta(seconds=each) for each in (5, 10, 20, 40)]
    failed = await run(runtime, job, fails)
    assert (failed.state, failed.error_code) == (JobState.FAILED, "INTERNAL")
    assert "ZeroDivision" not in (failed.error or "")
    assert await reenqueue_unfinished_jobs(runtime) == 0


async def test_a_slice_that_succeeds_forgives_earlier_failures(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await make_job(runtime, channel, total=20)
    turn = iter(range(100))

    async def every_other_time(runtime: Runtime, job: Job) -> Job:
        if next(turn) % 2:
            raise ZeroDivisionError
        return await one_more(runtime, job)

    now = await run(runtime, job, every_other_time)
    while not now.state.finished:
        assert now.failures == 1
        clock.advance(timedelta(seconds=5))
        now = await run(runtime, job, every_other_time)
    assert (now.state, now.done) == (JobState.DONE, 20)


async def test_a_refusal_is_final(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)

    async def refuses(runtime: Runtime, job: Job) -> Job:
        raise ConflictError("Somebody else has it.")

    failed = await run(runtime, job, refuses)
    assert (failed.state, failed.error_code, failed.error) == (JobState.FAILED, "CONFLICT", "Somebody else has it.")


async def test_a_worker_that_is_told_to_stop_hands_the_job_back(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)
    started = asyncio.Event()

    async def long(runtime: Runtime, job: Job) -> Job:
        if job.done == 1:
            started.set()
            await asyncio.Event().wait()
        return await one_more(runtime, job)

    working = asyncio.create_task(run(runtime, job, long))
    await started.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working
    handed_back = await stored(runtime, job)
    assert (handed_back.state, handed_back.done, handed_back.lease_until) == (JobState.QUEUED, 1, None)
    assert await reenqueue_unfinished_jobs(runtime) == 1
    assert (await run(runtime, job)).state is JobState.DONE


async def test_a_cancelled_job_stops_at_its_next_slice(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)

    async def cancelled_meanwhile(runtime: Runtime, job: Job) -> Job:
        if job.done == 1:
            await cancel_job(runtime, admin(), EXPORT, job.channel_id, job.job_id)
        return await one_more(runtime, job)

    stopped = await run(runtime, job, cancelled_meanwhile)
    assert (stopped.state, stopped.done) == (JobState.CANCELLED, 1)
    assert stopped.finished_at == START
    assert await run(runtime, job) == stopped
    assert await reenqueue_unfinished_jobs(runtime) == 0
    again = await cancel_job(runtime, admin(), EXPORT, job.channel_id, job.job_id)
    assert again == stopped


async def test_a_finished_job_stays_what_it_is_when_it_is_cancelled(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)
    done = await run(runtime, job)
    assert await cancel_job(runtime, admin(), EXPORT, job.channel_id, job.job_id) == done


async def test_a_channel_has_at_most_twenty_unfinished_jobs_of_a_kind(runtime: Runtime, channel: Channel) -> None:
    made = [await make_job(runtime, channel) for _ in range(MAX_UNFINISHED_JOBS)]
    with pytest.raises(LimitExceededError):
        await make_job(runtime, channel)
    await run(runtime, made[3])
    assert (await make_job(runtime, channel)).job_id == MAX_UNFINISHED_JOBS + 1


async def test_jobs_are_found_by_who_may_start_them(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)
    found = EXPORT, job.channel_id, job.job_id
    other = await bind(runtime, robot_id="robot-2")

    assert await find_job(runtime, admin(), *found) == job
    for role in (Role.AGENT, Role.INTEGRATOR):
        with pytest.raises(ForbiddenError):
            await find_job(runtime, replace(admin(), role=role), *found)
    for wrong in ((job.channel_id, job.job_id + 1), (other.channel_id, job.job_id), (job.channel_id, 2**40)):
        with pytest.raises(NotFoundError):
            await find_job(runtime, admin(), EXPORT, *wrong)
    with pytest.raises(NotFoundError):
        await find_job(runtime, admin("robot-2"), *found)


async def test_jobs_are_listed_newest_first(runtime: Runtime, channel: Channel) -> None:
    for _ in range(5):
        await make_job(runtime, channel)

    first, more = await jobs_of_channel(runtime, channel.channel_id, {EXPORT}, first=2, before=None)
    rest, last = await jobs_of_channel(runtime, channel.channel_id, {EXPORT}, first=3, before=first[-1].job_id)
    assert ([job.job_id for job in first + rest], more, last) == ([5, 4, 3, 2, 1], True, False)
    assert await jobs_of_channel(runtime, channel.channel_id, set(), first=2, before=None) == ([], False)


async def test_each_state_of_a_job_wakes_who_watches_it(runtime: Runtime, channel: Channel) -> None:
    job = await make_job(runtime, channel)
    await run(runtime, job)

    assert isinstance(runtime.publisher, RecordingPublisher)
    sent = [each for each in runtime.publisher.notifications if isinstance(each, JobChangeNotification)]
    assert sent == [JobChangeNotification(channel.channel_id, job.job_id)] * 4, "taken up, and three slices"
