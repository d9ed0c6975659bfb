"""Send a frozen broadcast for a few minutes, and say how it goes on.

Source: docs/specification.md §6.6.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from service.domain.broadcasts.policy.stored import policy_of
from service.domain.broadcasts.sending.by_tag import send_to_tag
from service.domain.broadcasts.sending.calling import Caller, Gate, path_of
from service.domain.broadcasts.sending.claims import SendingTurnLostError, TooManyCallsError
from service.domain.broadcasts.sending.hours import HoursWatch
from service.domain.broadcasts.sending.judging import Stop
from service.domain.broadcasts.sending.mass import send_chunk
from service.domain.broadcasts.sending.preparing import PREPARING_ERRORS, stop_for
from service.domain.broadcasts.sending.session import ResultMatcher, Session, Step
from service.domain.broadcasts.sending.settling import mark_lost_calls, settle_some
from service.domain.broadcasts.sending.single import send_some
from service.domain.broadcasts.sending.stopping import finish_or_wait, hand_on, stop_broadcast
from service.domain.broadcasts.sending.writing import LetterWriter
from service.domain.jobs.starting import enqueue_job_task, publish_job_change
from service.domain.official_account import quotas
from service.domain.official_account.days import end_of_minute, wechat_day
from service.domain.official_account.series import call_series
from service.domain.runtime import Runtime
from service.entities.broadcast_messages import message_from_json
from service.entities.broadcasts import BroadcastPolicy, WaitReason
from service.entities.channels import Channel, ChannelKind
from service.entities.jobs import Job, JobState
from service.storage import wechat_accounts, wechat_quotas
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts import broadcasts

# The queue's limit of time for a task is much longer.
SLICE_DURATION: Final = timedelta(minutes=3)
OTHERS_LOOK_AGAIN_AFTER: Final = timedelta(seconds=15)
# Seconds, after which it is looked again for messages whose ids can be called with again.
SETTLE_INTERVAL: Final = 30.0


async def send_slice(runtime: Runtime, channel: Channel, job: Job, match: ResultMatcher) -> Job:
    """Send to the people of a frozen broadcast for some minutes, and return its job after that.

    When it is cancelled, calls under way end by themselves and no more begin. Raises JobLeaseLostError.
    """
    async with runtime.pool.acquire() as conn:
        broadcast = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
        policy = await policy_of(conn, job.channel_id)
        await wechat_accounts.insert_account(conn, job.channel_id)
    if broadcast is None:
        raise LookupError("no such broadcast")
    gate = Gate(runtime, job)
    to_tag = channel.kind is ChannelKind.SUBSCRIPTION_ACCOUNT
    async with (
        call_series(runtime, channel, path_of(broadcast.kind, to_tag=to_tag), 0) as series,
        _turn_given_up(runtime, job, gate),
    ):
        caller = Caller(runtime, channel, gate, series)
        writer, message = LetterWriter(broadcast), message_from_json(broadcast.message)
        session = Session(runtime, channel, policy, job, broadcast, message, caller, writer, match)
        await mark_lost_calls(runtime, job.channel_id, job.job_id)
        try:
            return await _send_until(session, time.monotonic() + SLICE_DURATION.total_seconds())
        except PREPARING_ERRORS as error:
            stop = stop_for(error, runtime.clock(), refused=WaitReason.CONFIGURATION)
            return await stop_broadcast(runtime, job, stop)


@asynccontextmanager
async def _turn_given_up(runtime: Runtime, job: Job, gate: Gate) -> AsyncGenerator[None]:
    """Let no call begin once the block was cancelled; however it ends otherwise, others of the channel may send."""
    try:
        yield
    except asyncio.CancelledError:
        # Calls may be under way still.
        gate.shut()
        raise
    except BaseException:
        await _end_turn(runtime, job)
        raise


async def _end_turn(runtime: Runtime, job: Job) -> None:
    async with runtime.pool.acquire() as conn:
        await ledger.end_sending_turn(conn, job.channel_id, job.job_id)


async def _send_until(session: Session, end: float) -> Job:
    """Send until an instant of the monotonic clock, unless something ends it before."""
    runtime, hours = session.runtime, HoursWatch()
    send = send_to_tag if session.to_tag else send_chunk if session.broadcast.kind.mass else send_some
    settle_at = time.monotonic()
    while (now := time.monotonic()) < end:
        step = await _take_step(session, settle_some if now >= settle_at else send, hours)
        session = replace(session, job=_answered(session.job, step), policy=await _policy(session))
        if step.stop is not None:
            return await stop_broadcast(runtime, session.job, step.stop)
        if step.exhausted and now >= settle_at:
            settle_at = time.monotonic() + SETTLE_INTERVAL
        elif step.exhausted:
            finished = await finish_or_wait(runtime, session.job)
            if finished is not None:
                return finished
        publish_job_change(runtime, session.job)
    handed_on = await hand_on(runtime, session.job)
    enqueue_job_task(runtime, handed_on.channel_id, handed_on.job_id, handed_on.claim)
    return handed_on


async def _policy(session: Session) -> BroadcastPolicy:
    async with session.runtime.pool.acquire() as conn:
        return await policy_of(conn, session.job.channel_id)


async def _take_step(session: Session, step: Callable[[Session], Coroutine[Any, Any, Step]], hours: HoursWatch) -> Step:
    """Take a step, which goes on if this is cancelled, unless something keeps the broadcast from sending now."""
    stop = await hours.stop(session)
    if stop is not None:
        return Step(stop=stop)
    try:
        return await session.runtime.shielded.run(step(session), "a step of a broadcast")
    except SendingTurnLostError:
        return Step(stop=await _stop_for_others(session))
    except TooManyCallsError:
        return Step(stop=await _stop_for_quota(session))


async def _stop_for_quota(session: Session) -> Stop:
    runtime, now = session.runtime, session.runtime.clock()
    async with runtime.pool.acquire() as conn:
        day = wechat_day(runtime, now)
        quota = await wechat_quotas.quota(conn, session.job.channel_id, session.path, day)
    until = quotas.opens_again(runtime, quota, now)
    reason = WaitReason.RATE if until <= end_of_minute(now) else WaitReason.QUOTA
    return Stop(JobState.WAITING, reason, until)


async def _stop_for_others(session: Session) -> Stop:
    soon = session.runtime.clock() + OTHERS_LOOK_AGAIN_AFTER
    async with session.runtime.pool.acquire() as conn:
        ends = await ledger.sending_turn_ends(conn, session.job.channel_id)
    return Stop(JobState.WAITING, WaitReason.RATE, soon if ends is None else min(ends, soon))


def _answered(job: Job, step: Step) -> Job:
    """Return the job, which forgets how often in a row WeChat gave no answer if it gave one."""
    if not step.answered or not job.payload.get("pauses"):
        return job
    return replace(job, payload={**job.payload, "pauses": 0})
