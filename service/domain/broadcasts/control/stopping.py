"""Pause, resume and cancel broadcasts: once the call is answered, nobody more is claimed until it is resumed.

Source: docs/specification.md §6.6.
"""

from typing import Final

from service.domain.audit.values import job_ref
from service.domain.broadcasts.control.locking import (
    LockedBroadcast,
    check_open,
    check_unfinished,
    lock_for,
    log_act,
    record_act,
)
from service.domain.jobs.starting import enqueue_job, publish_job_change, resume_waiting_jobs
from service.domain.official_account.acting import ActingState, acting_state, refresh_acting
from service.domain.runtime import Runtime
from service.entities.broadcasts import WaitReason
from service.entities.errors import UpstreamError
from service.entities.jobs import Job, JobState
from service.entities.principal import Principal
from service.storage import jobs, wechat_accounts
from service.storage.broadcasts import broadcast_control, broadcasts
from service.storage.broadcasts.broadcast_ledger import end_sending_turn, set_waiting_for
from service.storage.database.pool import Connection
from service.wechat.api.decisions import Decision, decide_on_token

NOT_ACTING: Final = "This installation makes no calls to WeChat, so nothing is sent."
# Somebody may have done what these wait for.
RESUMED_BEFORE_TIME: Final = {
    (JobState.WAITING_FOR_APPROVAL, WaitReason.WECHAT_ADMIN),
    (JobState.WAITING, WaitReason.CONFIGURATION),
}


async def pause_broadcast(runtime: Runtime, principal: Principal, channel_id: int, job_id: int) -> Job:
    """Return the job of a broadcast, PAUSED; one that is paused already keeps its reason.

    What was claimed before may still be sent, and is recorded. Raises ForbiddenError, NotFoundError, and ConflictError
    for a broadcast that has ended.
    """
    async with runtime.pool.acquire() as conn:
        async with conn.transaction():
            found = await lock_for(conn, principal, channel_id, job_id)
            check_unfinished(found.job)
            if found.job.state is JobState.PAUSED:
                return found.job
            paused = await broadcast_control.set_broadcast_state(conn, found.job, JobState.PAUSED)
            await set_waiting_for(conn, channel_id, job_id, WaitReason.OPERATOR)
            await record_act(conn, runtime, principal, "pause_broadcast", found.job, paused)
        # Whoever claims takes the turn before the job, so it is not given up while the job is locked.
        await end_sending_turn(conn, channel_id, job_id)
    publish_job_change(runtime, paused)
    log_act(principal, "pause", paused)
    return paused


async def resume_broadcast(runtime: Runtime, principal: Principal, channel_id: int, job_id: int) -> Job:
    """Return the job of a broadcast that goes on, if it was paused or waited for its account.

    What it was paused for counts as looked at: a late start, or that the content was sent lately, is confirmed. If the
    account was to be mended it is called again at once, and everything of the channel goes on that waits for that. What
    is not mended pauses it again.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, ConflictError for what has ended, and UpstreamError
    while this installation makes no calls.
    """
    await refresh_acting(runtime)
    async with runtime.pool.acquire() as conn, conn.transaction():
        found = await lock_for(conn, principal, channel_id, job_id)
        check_unfinished(found.job)
        if not _can_be_resumed(found):
            return found.job
        await check_open(conn, channel_id)
        check_acting(runtime)
        reason = found.broadcast.waiting_for
        late, duplicate = reason is WaitReason.LATE_START, reason is WaitReason.DUPLICATE
        await broadcast_control.confirm_start(conn, channel_id, job_id, late=late, duplicate=duplicate)
        await set_waiting_for(conn, channel_id, job_id, None)
        resumed = await broadcast_control.set_broadcast_state(conn, found.job, JobState.QUEUED)
        await record_act(conn, runtime, principal, "resume_broadcast", found.job, resumed, waited_for=reason)
    if reason is WaitReason.CONFIGURATION:
        await _end_stop_of_account(runtime, channel_id)
    enqueue_job(runtime, resumed)
    log_act(principal, "resume", resumed, reason=reason)
    return resumed


async def cancel_broadcast(
    runtime: Runtime, principal: Principal, channel_id: int, job_id: int, *, action: str = "cancel_broadcast"
) -> Job:
    """Return the job of a broadcast, CANCELLED unless it was finished before, and end the series that it is of.

    With the series itself its unfinished runs are cancelled, too. What was claimed before may still be sent, and is
    recorded. `action` is what the audit log calls it. Raises ForbiddenError, NotFoundError.
    """
    async with runtime.pool.acquire() as conn:
        async with conn.transaction():
            found = await lock_for(conn, principal, channel_id, job_id)
            cancelled = [await _cancel(conn, runtime, found.job)]
            for run in await broadcast_control.unfinished_runs(conn, channel_id, job_id):
                job = await jobs.lock_job(conn, channel_id, run)
                if job is not None:
                    cancelled.append(await _cancel(conn, runtime, job))
            await broadcast_control.end_series(conn, channel_id, found.broadcast.repeat_of or job_id)
            if not found.job.state.finished or found.broadcast.series is not None:
                runs = [job_ref(job) for job in cancelled[1:]]
                await record_act(conn, runtime, principal, action, found.job, cancelled[0], runs=runs)
        for job in cancelled:
            await end_sending_turn(conn, channel_id, job.job_id)
    for job in cancelled:
        publish_job_change(runtime, job)
    log_act(principal, "cancel", cancelled[0])
    return cancelled[0]


def check_acting(runtime: Runtime) -> None:
    """Raise UpstreamError while this installation makes no calls to WeChat, as far as it read last."""
    if acting_state(runtime) is not ActingState.ON:
        raise UpstreamError(NOT_ACTING)


def _can_be_resumed(found: LockedBroadcast) -> bool:
    return found.job.state is JobState.PAUSED or (found.job.state, found.broadcast.waiting_for) in RESUMED_BEFORE_TIME


async def _end_stop_of_account(runtime: Runtime, channel_id: int) -> None:
    """Call an account again that was stopped until somebody mends it; what waits for other reasons waits on.

    Whoever claims takes the account before the job, so the job must not be locked.
    """
    async with runtime.pool.acquire() as conn:
        account = await wechat_accounts.account(conn, channel_id)
        if account is None or account.stopped_errcode is None:
            return
        if decide_on_token(account.stopped_errcode) is not Decision.STOP_ACCOUNT:
            return
        await wechat_accounts.end_stop(conn, channel_id, account.stopped_errcode)
    await resume_waiting_jobs(runtime, channel_id)


async def _cancel(conn: Connection, runtime: Runtime, job: Job) -> Job:
    """Return a locked job, CANCELLED unless it was finished before."""
    if job.state.finished:
        return job
    await broadcasts.lock_broadcast(conn, job.channel_id, job.job_id)
    await set_waiting_for(conn, job.channel_id, job.job_id, None)
    return await broadcast_control.set_broadcast_state(conn, job, JobState.CANCELLED, runtime.clock())
