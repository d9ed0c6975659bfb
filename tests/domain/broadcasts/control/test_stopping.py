"""Pause, resume and cancel broadcasts in every state."""

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from service.domain.broadcasts.control.stopping import cancel_broadcast, pause_broadcast, resume_broadcast
from service.domain.channels.binding import unbind_channel
from service.domain.jobs.running import JobLeaseLostError, save_progress
from service.domain.runtime import Runtime
from service.entities.broadcasts import Broadcast, WaitReason
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError, ConflictError, ForbiddenError, NotFoundError, UpstreamError
from service.entities.jobs import Job, JobState
from service.entities.principal import Role
from service.storage import jobs
from service.storage.broadcasts import broadcasts
from service.storage.broadcasts.broadcast_ledger import set_waiting_for
from tests.support.broadcasts import add_broadcast
from tests.support.clock import FrozenClock
from tests.support.runtime import RecordingQueue, admin

UNFINISHED = [each for each in JobState if not each.finished]
FINISHED = [each for each in JobState if each.finished]
WEEKLY = {"every": "WEEK", "at": "09:00", "weekday": 1}


async def make(
    runtime: Runtime,
    channel: Channel,
    state: JobState = JobState.RUNNING,
    reason: WaitReason | None = None,
    **changes: Any,
) -> Broadcast:
    async with runtime.pool.acquire() as conn, conn.transaction():
        made = await add_broadcast(conn, channel.channel_id, state=state, **changes)
        await set_waiting_for(conn, made.channel_id, made.job_id, reason)
    return made


async def stored(runtime: Runtime, made: Broadcast) -> tuple[Job, Broadcast]:
    async with runtime.pool.acquire() as conn:
        job = await jobs.job(conn, made.channel_id, made.job_id)
        broadcast = await broadcasts.broadcast(conn, made.channel_id, made.job_id)
    assert job is not None
    assert broadcast is not None
    return job, broadcast


@pytest.mark.parametrize("state", UNFINISHED)
async def test_a_broadcast_is_paused_wherever_it_is(runtime: Runtime, channel: Channel, state: JobState) -> None:
    made = await make(runtime, channel, state, WaitReason.DUPLICATE)

    answered = await pause_broadcast(runtime, admin(), made.channel_id, made.job_id)

    job, broadcast = await stored(runtime, made)
    assert answered == job
    assert job.state is JobState.PAUSED
    kept = state is JobState.PAUSED
    assert broadcast.waiting_for is (WaitReason.DUPLICATE if kept else WaitReason.OPERATOR)


@pytest.mark.parametrize("state", UNFINISHED)
async def test_what_goes_on_anyway_is_not_resumed(runtime: Runtime, channel: Channel, state: JobState) -> None:
    made = await make(runtime, channel, state, WaitReason.QUOTA)

    await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)

    job, broadcast = await stored(runtime, made)
    if state is JobState.PAUSED:
        assert (job.state, broadcast.waiting_for) == (JobState.QUEUED, None)
    else:
        assert (job.state, broadcast.waiting_for) == (state, WaitReason.QUOTA)


async def test_what_it_was_paused_for_is_no_error_once_it_goes_on(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, JobState.PAUSED, WaitReason.REFUSED_MESSAGE)
    await runtime.pool.execute("update job set error = 'WeChat answered 47003.'")
    await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)
    assert (await stored(runtime, made))[0].error is None


@pytest.mark.parametrize("reason", WaitReason)
async def test_resuming_confirms_what_the_broadcast_was_paused_for(
    runtime: Runtime, channel: Channel, reason: WaitReason
) -> None:
    made = await make(runtime, channel, JobState.PAUSED, reason)

    resumed = await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)

    job, broadcast = await stored(runtime, made)
    assert (resumed, job.state, broadcast.waiting_for) == (job, JobState.QUEUED, None)
    assert broadcast.confirm_late is (reason is WaitReason.LATE_START)
    assert broadcast.confirm_duplicate is (reason is WaitReason.DUPLICATE)
    assert isinstance(runtime.queue, RecordingQueue)
    assert runtime.queue.tasks[-1][1] == (made.channel_id, made.job_id)


async def test_resuming_looks_at_once_whether_the_administrator_has_consented(
    runtime: Runtime, channel: Channel
) -> None:
    made = await make(runtime, channel, JobState.WAITING_FOR_APPROVAL, WaitReason.WECHAT_ADMIN)
    await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)
    assert (await stored(runtime, made))[0].state is JobState.QUEUED


async def test_resuming_is_no_approval(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, JobState.WAITING_FOR_APPROVAL, WaitReason.SECOND_ADMIN)
    await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)
    job, broadcast = await stored(runtime, made)
    assert (job.state, broadcast.waiting_for) == (JobState.WAITING_FOR_APPROVAL, WaitReason.SECOND_ADMIN)


async def test_a_confirmation_stays(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, JobState.PAUSED, WaitReason.LATE_START, confirm_duplicate=True)
    await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)
    await pause_broadcast(runtime, admin(), made.channel_id, made.job_id)
    await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)
    broadcast = (await stored(runtime, made))[1]
    assert (broadcast.confirm_late, broadcast.confirm_duplicate) == (True, True)


@pytest.mark.parametrize("state", FINISHED)
async def test_what_has_ended_is_neither_paused_nor_resumed(
    runtime: Runtime, channel: Channel, state: JobState
) -> None:
    made = await make(runtime, channel, state)
    for act in (pause_broadcast, resume_broadcast):
        with pytest.raises(ConflictError):
            await act(runtime, admin(), made.channel_id, made.job_id)
    assert (await cancel_broadcast(runtime, admin(), made.channel_id, made.job_id)).state is state
    assert (await stored(runtime, made))[0].state is state


@pytest.mark.parametrize("state", UNFINISHED)
async def test_a_broadcast_is_cancelled_wherever_it_is(
    runtime: Runtime, channel: Channel, clock: FrozenClock, state: JobState
) -> None:
    made = await make(runtime, channel, state, WaitReason.START_TIME)

    await cancel_broadcast(runtime, admin(), made.channel_id, made.job_id)

    job, broadcast = await stored(runtime, made)
    assert (job.state, job.finished_at, broadcast.waiting_for) == (JobState.CANCELLED, clock(), None)


@pytest.mark.parametrize("by", ["the series", "a run"])
async def test_cancelling_ends_the_series(runtime: Runtime, channel: Channel, clock: FrozenClock, by: str) -> None:
    soon = clock() + timedelta(days=7)
    series = await make(runtime, channel, JobState.DONE, repeat=WEEKLY, next_run_at=soon)
    run = await make(runtime, channel, JobState.RUNNING, repeat_of=series.job_id, run_at=clock())
    stranger = await make(runtime, channel, JobState.RUNNING, repeat=WEEKLY, next_run_at=soon)

    cancelled = series if by == "the series" else run
    await cancel_broadcast(runtime, admin(), cancelled.channel_id, cancelled.job_id)

    assert (await stored(runtime, series))[1].next_run_at is None
    assert (await stored(runtime, series))[0].state is JobState.DONE
    assert (await stored(runtime, run))[0].state is JobState.CANCELLED
    job, broadcast = await stored(runtime, stranger)
    assert (job.state, broadcast.next_run_at) == (JobState.RUNNING, soon)


@pytest.mark.parametrize("act", [pause_broadcast, cancel_broadcast])
async def test_a_worker_that_holds_the_broadcast_claims_nobody_more(
    runtime: Runtime, channel: Channel, clock: FrozenClock, act: object
) -> None:
    made = await make(runtime, channel, JobState.QUEUED)
    async with runtime.pool.acquire() as conn:
        claimed = await jobs.claim_job(
            conn, made.channel_id, made.job_id, now=clock(), lease_until=clock() + timedelta(seconds=30)
        )
    assert claimed is not None

    await act(runtime, admin(), made.channel_id, made.job_id)  # type: ignore[operator]

    async with runtime.pool.acquire() as conn, conn.transaction():
        with pytest.raises(JobLeaseLostError):
            await save_progress(conn, runtime, claimed)


async def test_a_worker_from_before_a_pause_is_not_let_in_again_by_resuming(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    made = await make(runtime, channel, JobState.QUEUED)
    lease = clock() + timedelta(seconds=30)
    async with runtime.pool.acquire() as conn:
        before = await jobs.claim_job(conn, made.channel_id, made.job_id, now=clock(), lease_until=lease)
    await pause_broadcast(runtime, admin(), made.channel_id, made.job_id)
    await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)
    async with runtime.pool.acquire() as conn:
        after = await jobs.claim_job(conn, made.channel_id, made.job_id, now=clock(), lease_until=lease)
    assert before is not None
    assert after is not None
    async with runtime.pool.acquire() as conn, conn.transaction():
        with pytest.raises(JobLeaseLostError):
            await save_progress(conn, runtime, before)
    async with runtime.pool.acquire() as conn, conn.transaction():
        await save_progress(conn, runtime, after)


async def test_nothing_goes_on_where_the_gate_is_closed_or_nothing_is_called(
    runtime: Runtime, channel: Channel
) -> None:
    made = await make(runtime, channel, JobState.PAUSED, WaitReason.OPERATOR)
    not_acting = replace(runtime, settings=replace(runtime.settings, acting=False))
    with pytest.raises(UpstreamError):
        await resume_broadcast(not_acting, admin(), made.channel_id, made.job_id)
    await unbind_channel(runtime, admin(), channel.channel_id)
    again = await make(runtime, channel, JobState.PAUSED, WaitReason.OPERATOR)
    with pytest.raises(ChannelNotBoundError):
        await resume_broadcast(runtime, admin(), again.channel_id, again.job_id)
    assert (await stored(runtime, again))[0].state is JobState.PAUSED


async def test_many_admins_at_once_leave_one_outcome(runtime: Runtime, channel: Channel) -> None:
    made = await make(runtime, channel, JobState.RUNNING)
    acts = [pause_broadcast, resume_broadcast, cancel_broadcast] * 4
    answers = await asyncio.gather(
        *(act(runtime, admin(), made.channel_id, made.job_id) for act in acts), return_exceptions=True
    )
    assert {type(each) for each in answers} <= {Job, ConflictError}
    job, broadcast = await stored(runtime, made)
    assert (job.state, broadcast.waiting_for) == (JobState.CANCELLED, None)


@pytest.mark.parametrize("act", [pause_broadcast, resume_broadcast, cancel_broadcast])
async def test_others_have_no_say(runtime: Runtime, channel: Channel, act: object) -> None:
    made = await make(runtime, channel, JobState.PAUSED, WaitReason.OPERATOR)
    for role in (Role.AGENT, Role.INTEGRATOR):
        with pytest.raises(ForbiddenError):
            await act(runtime, replace(admin(), role=role), made.channel_id, made.job_id)  # type: ignore[operator]
    for principal in (admin("another robot"), replace(admin(), channel_ids=frozenset({channel.channel_id + 1}))):
        with pytest.raises(NotFoundError):
            await act(runtime, principal, made.channel_id, made.job_id)  # type: ignore[operator]
    for number in (made.job_id + 1, 2**40):
        with pytest.raises(NotFoundError):
            await act(runtime, admin(), made.channel_id, number)  # type: ignore[operator]
    assert (await stored(runtime, made))[0].state is JobState.PAUSED


async def test_each_act_is_a_line_with_who_did_it(
    runtime: Runtime, channel: Channel, caplog: pytest.LogCaptureFixture
) -> None:
    made = await make(runtime, channel, JobState.RUNNING)
    with caplog.at_level(logging.INFO, logger="service.domain.broadcasts.control.locking"):
        await pause_broadcast(runtime, admin(), made.channel_id, made.job_id)
        await pause_broadcast(runtime, admin(), made.channel_id, made.job_id)
        await resume_broadcast(runtime, admin(), made.channel_id, made.job_id)
        await cancel_broadcast(runtime, admin(), made.channel_id, made.job_id)
    said = [(vars(each)["act"], vars(each)["subject"], vars(each)["robot"]) for each in caplog.records]
    assert said == [(act, "tests", "robot-1") for act in ("pause", "resume", "cancel")]
    assert caplog.records[0].getMessage() == f"pause broadcast {made.job_id} of channel {made.channel_id}"
