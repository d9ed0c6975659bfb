"""Crash, stop, pause and cancel while messages are under way."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.broadcasts.sending.single import CALLS_AT_ONCE
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.jobs.running import run_job
from service.entities.broadcasts import MessageKind
from service.entities.jobs import Job, JobKind, JobState
from service.wechat.api.errors import UnansweredError
from tests.domain.broadcasts.sending.against_wechat.post import Post
from tests.domain.broadcasts.sending.against_wechat.test_plain_sending import KINDS
from tests.support.waiting import wait_until

MASS, TEXT = MessageKind.MASS_TEXT, MessageKind.CUSTOMER_SERVICE_TEXT
CUT_OFF = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)
QUOTA = (
    "insert into wechat_quota (channel_id, api, day, used, daily_limit, window_at, window_used)"
    " values ($1, $2, ($3::timestamptz + interval '8 h')::date, 0, $4, $3, 0)"
)
SINGLE = tuple(kind for kind in KINDS if not kind.mass)


class CrashedError(BaseException):
    """End a worker on the spot: nothing catches it."""


class CrashingTransport:
    """Send calls, and crash at one of them: before it is sent, or after it was answered."""

    def __init__(self, inner: Any, at: int, *, answered: bool) -> None:
        self._inner, self._left, self._answered = inner, at, answered

    async def send(self, call: Any, access_token: str | None = None, *, call_before: float | None = None) -> Any:
        """Return the answer."""
        if "/message/" not in call.path:
            return await self._inner.send(call, access_token)
        self._left -= 1
        if self._left < 0 and not self._answered:
            raise CrashedError
        answer = await self._inner.send(call, access_token, call_before=call_before)
        if self._left < 0:
            raise CrashedError
        return answer


class DeadTransport:
    """Reach nobody."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    async def send(self, call: Any, access_token: str | None = None, **_: Any) -> Any:
        """Get tokens only."""
        if access_token is None:
            return await self._inner.send(call)
        raise UnansweredError(call.path, "no connection", sent=False)


class HoldingTransport:
    """Let messages wait, once they are under way, until they are released."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.under_way = 0
        self.released = asyncio.Event()

    async def send(self, call: Any, access_token: str | None = None, *, call_before: float | None = None) -> Any:
        """Return the answer."""
        if "/message/" not in call.path:
            return await self._inner.send(call, access_token)
        self.under_way += 1
        await self.released.wait()
        return await self._inner.send(call, access_token, call_before=call_before)


@asynccontextmanager
async def under_way(post: Post, job: Job, calls: int) -> AsyncGenerator[tuple[asyncio.Task[None], HoldingTransport]]:
    """Yield a worker that has begun so many calls; when the block is left they are answered."""
    transport: Any = HoldingTransport(post.runtime.wechat)
    runtime = replace(post.runtime, wechat=transport)
    work = run_job(runtime, {JobKind.BROADCAST: run_broadcast_slice}, job.channel_id, job.job_id)
    working = asyncio.create_task(work)
    await wait_until(lambda: transport.under_way == calls, within=10)
    try:
        yield working, transport
    finally:
        transport.released.set()


async def crash(post: Post, job: Job, at: int, *, answered: bool) -> None:
    """Let a worker work on a job until it crashes, and another one find it later."""
    transport: Any = CrashingTransport(post.runtime.wechat, at, answered=answered)
    crashing = replace(post.runtime, wechat=transport)
    with pytest.raises(CrashedError):
        await run_job(crashing, {JobKind.BROADCAST: run_broadcast_slice}, job.channel_id, job.job_id)
    post.wechat.clock.advance(timedelta(minutes=1))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("answered", [False, True])
async def test_a_worker_crashes_at_a_call(post: Post, kind: MessageKind, answered: bool) -> None:
    people = await post.people(40)
    job = await post.book.insert(kind, people)

    await crash(post, job, 0 if kind.mass else 3, answered=answered)
    job = await post.go_on(job)

    counts = await post.book.counts(job)
    settled = kind in {MASS, MessageKind.TEMPLATE}
    assert job.state is JobState.DONE
    assert counts["planned"] == 0
    assert counts["sent"] + counts["uncertain"] == 40
    # The others were claimed too, and only the worker knew that nobody had called them.
    assert counts["uncertain"] == (0 if settled else 32)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_worker_is_told_to_stop_during_calls(post: Post, kind: MessageKind) -> None:
    people = await post.people(40)
    job = await post.book.insert(kind, people)
    async with under_way(post, job, 1 if kind.mass else CALLS_AT_ONCE) as (working, _):
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
    await post.runtime.shielded.drain(10)

    counts = await post.book.counts(job)
    assert counts["uncertain"] == 0
    assert counts["sent"] == (40 if kind.mass else CALLS_AT_ONCE)
    assert (await post.go_on(job)).state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)


@pytest.mark.parametrize("kind", SINGLE)
@pytest.mark.parametrize("state", [JobState.PAUSED, JobState.CANCELLED])
async def test_nobody_is_called_once_a_broadcast_is_stopped(post: Post, kind: MessageKind, state: JobState) -> None:
    people = await post.people(40)
    job = await post.book.insert(kind, people)
    async with under_way(post, job, CALLS_AT_ONCE) as (working, transport):
        await post.runtime.pool.execute("update job set state = $1, lease_until = null", state)
    await working

    assert transport.under_way == CALLS_AT_ONCE
    counts = await post.book.counts(job)
    assert (counts["sent"], counts["planned"], counts["uncertain"]) == (CALLS_AT_ONCE, 40 - CALLS_AT_ONCE, 0)
    await post.check(job)


async def test_a_mass_message_under_way_is_written_down_though_it_was_cancelled(post: Post) -> None:
    people = await post.people(12)
    job = await post.book.insert(MASS, people)
    async with under_way(post, job, 1) as (working, _):
        await post.runtime.pool.execute("update job set state = 'CANCELLED', lease_until = null")
    await working

    assert (await post.book.counts(job))["sent"] == 12


async def test_a_connection_that_cannot_be_made_sends_to_everybody_later(post: Post) -> None:
    people = await post.people(12)
    transport: Any = DeadTransport(post.runtime.wechat)
    job = await post.book.insert(TEXT, people)
    dead = replace(post.runtime, wechat=transport)

    await run_job(dead, {JobKind.BROADCAST: run_broadcast_slice}, job.channel_id, job.job_id)

    assert (await post.book.counts(job))["planned"] == 12
    assert (await post.look_up(job)).state is JobState.WAITING
    assert (await post.go_on(await post.look_up(job))).state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)


async def test_broadcasts_of_a_channel_wait_for_each_other(post: Post) -> None:
    people = await post.people(12)
    first, second = await post.book.insert(TEXT, people), await post.book.insert(MASS, people)
    async with under_way(post, first, CALLS_AT_ONCE) as (working, _):
        waiting = await post.work(second)

        assert waiting.state is JobState.WAITING
        assert await post.waiting_for(second) == "RATE"
    await working
    assert (await post.look_up(first)).state is JobState.DONE
    assert waiting.resumes_at is not None
    post.wechat.clock.now = waiting.resumes_at
    assert (await post.work(second)).state is JobState.DONE


@pytest.mark.parametrize("kind", [MASS, TEXT])
async def test_an_outcome_is_written_once_the_database_is_there_again(post: Post, kind: MessageKind) -> None:
    people = await post.people(CALLS_AT_ONCE)
    job = await post.book.insert(kind, people)
    async with under_way(post, job, 1 if kind.mass else CALLS_AT_ONCE) as (working, _):
        # As when it is restarted: whoever was connected is cut off.
        await post.runtime.pool.execute(CUT_OFF)
    await asyncio.wait([working])
    await post.runtime.shielded.drain(10)

    assert (await post.book.counts(job))["sent"] == CALLS_AT_ONCE
    post.wechat.clock.advance(timedelta(minutes=1))
    assert (await post.go_on(await post.look_up(job))).state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)


async def test_the_last_calls_of_a_quota_are_made_and_the_rest_the_next_day(post: Post) -> None:
    people = await post.people(12)
    await post.runtime.pool.execute(QUOTA, post.channel.channel_id, post.path(TEXT), post.wechat.clock(), 3)

    job = await post.work(await post.book.insert(TEXT, people))

    assert job.state is JobState.WAITING
    assert await post.waiting_for(job) == "QUOTA"
    assert (await post.book.counts(job))["sent"] == 3
    assert (await post.go_on(job)).state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)


@pytest.mark.parametrize("kind", KINDS)
async def test_two_workers_at_the_same_job_send_once(post: Post, kind: MessageKind) -> None:
    people = await post.people(60)
    job = await post.book.insert(kind, people)

    await asyncio.gather(*(post.work(job) for _ in range(3)))

    assert (await post.go_on(await post.look_up(job))).state is JobState.DONE
    assert post.received() == dict.fromkeys(people, 1)


async def test_a_worker_that_lost_the_job_claims_nobody_more(post: Post) -> None:
    people = await post.people(40)
    job = await post.book.insert(TEXT, people)
    async with under_way(post, job, CALLS_AT_ONCE) as (working, transport):
        # Its lease is over as far as others can see.
        post.wechat.clock.advance(timedelta(minutes=1))
        other = asyncio.create_task(post.work(job))
        assert (await other).state is JobState.DONE
    await working

    assert transport.under_way == CALLS_AT_ONCE
    await post.check(await post.look_up(job))
    counts = await post.book.counts(job)
    # Nobody sends to those whom the other worker took for uncertain when it ended.
    sent = 40 - 32 + CALLS_AT_ONCE
    assert (counts["sent"], counts["planned"], counts["uncertain"]) == (sent, 0, 40 - sent)


async def test_what_nobody_foresaw_pauses_it_and_it_can_go_on(post: Post) -> None:
    people = await post.people(3)
    job = await post.book.insert(MASS, people)
    message = "update broadcast set message = $3 where channel_id = $1 and job_id = $2 returning message"
    before = "select message from broadcast where channel_id = $1 and job_id = $2"
    was = await post.runtime.pool.fetchval(before, job.channel_id, job.job_id)
    await post.runtime.pool.execute(message, job.channel_id, job.job_id, "{}")

    job = await post.go_on(job)

    assert (job.state, await post.waiting_for(job)) == (JobState.PAUSED, "OPERATOR")
    assert job.error is not None
    await post.runtime.pool.execute(message, job.channel_id, job.job_id, was)
    job = await post.resume(job)
    assert job.state is JobState.DONE
