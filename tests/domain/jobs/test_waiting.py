"""Let a job wait for WeChat without counting it as a failure, and tell what WeChat refused."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.jobs import running
from service.domain.jobs.running import (
    LEASE_DURATION,
    MAX_FAILURES,
    MAX_UPSTREAM_FAILURES,
    reenqueue_unfinished_jobs,
    save_progress,
)
from service.domain.jobs.starting import StartedJob, start_only_job
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job, JobState
from service.storage import channels
from service.wechat.api.decisions import Decision, decide
from service.wechat.api.errors import UnansweredError, WechatError
from tests.domain.jobs.counting_job import EXPORT, make_job, one_more, run, stored
from tests.support.clock import FrozenClock
from tests.support.runtime import admin
from tests.support.waiting import wait_until

PATH = "/cgi-bin/user/get"
PASSING = {Decision.REFRESH: 40001, Decision.BACK_OFF: -1, Decision.WAIT_FOR_ADMIN: 89504}
FINAL = {
    Decision.STOP_ACCOUNT: 40164,
    Decision.PARTIAL: 45171,
    Decision.SKIP_PERSON: 40003,
    Decision.PERSON_UNREACHABLE: 45015,
    Decision.ALREADY_DONE: 45065,
    Decision.OUR_FAULT: 47001,
    Decision.UNKNOWN: 99_999,
}


def refusal(errcode: int) -> WechatError:
    return WechatError(errcode, "no rid: 0123abcd-0123abcd-0123abcd", decide(errcode), path=PATH)


async def test_a_job_waits_until_the_next_call_can_be_made(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await make_job(runtime, channel)
    until = clock() + timedelta(hours=5)

    async def used_up(runtime: Runtime, job: Job) -> Job:
        raise CallLaterError("The quota is used up.", until)

    for _ in range(MAX_FAILURES + 1):
        waiting = await run(runtime, job, used_up)
        assert (waiting.state, waiting.resumes_at, waiting.failures) == (JobState.WAITING, until, 0)
        assert (waiting.error, waiting.error_code) == (None, None)
        assert await run(runtime, job) == waiting, "it is not due"
        assert await reenqueue_unfinished_jobs(runtime) == 0
        clock.now = until
        until += timedelta(hours=5)
    done = await run(runtime, job)
    assert (done.state, done.resumes_at) == (JobState.DONE, None)


async def test_waiting_forgives_no_failure(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    job = await make_job(runtime, channel)
    turn = iter(range(100))

    async def fails_and_waits(runtime: Runtime, job: Job) -> Job:
        if next(turn) % 2:
            raise CallLaterError("The quota is used up.", clock() + timedelta(hours=1))
        raise UnansweredError(PATH, "HTTP 502", sent=True)

    now = await run(runtime, job, fails_and_waits)
    while not now.state.finished:
        assert now.resumes_at is not None
        clock.now = now.resumes_at
        now = await run(runtime, job, fails_and_waits)
    assert (now.state, now.failures) == (JobState.FAILED, MAX_UPSTREAM_FAILURES)


@pytest.mark.parametrize("error", [*map(refusal, PASSING.values()), UnansweredError(PATH, "HTTP 502", sent=True)])
async def test_what_may_pass_is_tried_again_later_and_not_for_ever(
    runtime: Runtime, channel: Channel, clock: FrozenClock, error: WechatError | UnansweredError
) -> None:
    job = await make_job(runtime, channel)

    async def fails(runtime: Runtime, job: Job) -> Job:
        raise error

    begun_at = clock()
    for failures in range(1, MAX_UPSTREAM_FAILURES):
        waiting = await run(runtime, job, fails)
        assert (waiting.state, waiting.failures) == (JobState.WAITING, failures)
        assert waiting.resumes_at == clock() + timedelta(seconds=min(5 * 2 ** (failures - 1), 600))
        clock.now = waiting.resumes_at
    assert clock() - begun_at > timedelta(minutes=30), "an outage of WeChat's"
    failed = await run(runtime, job, fails)
    assert (failed.state, failed.error_code) == (JobState.FAILED, "UPSTREAM")
    assert failed.error == error.message_for_clients


@pytest.mark.parametrize("errcode", FINAL.values())
async def test_what_wechat_refuses_for_good_fails_the_job_with_its_code(
    runtime: Runtime, channel: Channel, errcode: int
) -> None:
    job = await make_job(runtime, channel)

    async def refused(runtime: Runtime, job: Job) -> Job:
        raise refusal(errcode)

    failed = await run(runtime, job, refused)
    assert (failed.state, failed.error_code) == (JobState.FAILED, "UPSTREAM")
    assert failed.error == f"WeChat answered {errcode}: no"


def test_every_decision_is_looked_at() -> None:
    held_up = {Decision.SLOW_DOWN, Decision.WAIT_FOR_QUOTA}  # They come as CallLaterError.
    assert {*PASSING, *FINAL, *held_up} == set(Decision)


async def test_what_a_slice_saved_before_it_ended_early_stays(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    job = await make_job(runtime, channel, total=4)

    async def save_two(job: Job) -> None:
        for _ in range(2):
            async with runtime.pool.acquire() as conn, conn.transaction():
                job = await save_progress(conn, runtime, replace(job, done=job.done + 1, payload={"at": job.done + 1}))

    async def waits_after_two(runtime: Runtime, job: Job) -> Job:
        await save_two(job)
        raise CallLaterError("The quota is used up.", clock() + timedelta(hours=1))

    async def fails_after_two(runtime: Runtime, job: Job) -> Job:
        await save_two(job)
        raise ZeroDivisionError

    waiting = await run(runtime, job, waits_after_two)
    assert (waiting.state, waiting.done, waiting.payload) == (JobState.WAITING, 2, {"at": 2})
    clock.advance(timedelta(hours=1))
    waiting = await run(runtime, job, fails_after_two)
    assert (waiting.state, waiting.done, waiting.payload, waiting.failures) == (JobState.WAITING, 4, {"at": 4}, 1)


async def test_a_slice_that_takes_long_keeps_its_lease(
    runtime: Runtime, channel: Channel, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "RENEWAL_INTERVAL", 0.01)
    job = await make_job(runtime, channel, total=1)

    async def long(runtime: Runtime, job: Job) -> Job:
        for _ in range(3):
            clock.advance(LEASE_DURATION - timedelta(seconds=1))
            await wait_until(lambda: _held(runtime, job, clock))
            assert (await run(runtime, job)).claim == job.claim, "nobody else takes it up"
        return await one_more(runtime, job)

    done = await run(runtime, job, long)
    assert (done.state, done.claim) == (JobState.DONE, 1)


async def _held(runtime: Runtime, job: Job, clock: FrozenClock) -> bool:
    lease = (await stored(runtime, job)).lease_until
    return lease == clock() + LEASE_DURATION


async def test_only_one_job_of_a_kind_is_started_at_once(runtime: Runtime, channel: Channel) -> None:
    async def start() -> StartedJob:
        async with runtime.pool.acquire() as conn, conn.transaction():
            await channels.lock_channel_state(conn, channel.channel_id)
            return await start_only_job(conn, runtime, channel, EXPORT, payload={}, principal=admin())

    started = await asyncio.gather(*(start() for _ in range(5)))
    assert sorted(each.already_running for each in started) == [False, True, True, True, True]
    (job,) = {each.job.job_id: each.job for each in started}.values()
    await run(runtime, job, one_more_of_one)
    again = await start()
    assert (again.already_running, again.job.job_id) == (False, job.job_id + 1)


async def one_more_of_one(runtime: Runtime, job: Job) -> Job:
    return await one_more(runtime, replace(job, total=1))
