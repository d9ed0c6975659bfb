"""End a slice of a broadcast: let it wait, pause it, hand it on, or finish it, and let others of the channel send.

Each is one transaction; it locks the account's turn, the job and the broadcast, in this order.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from service.domain.broadcasts.audience.waiting import log_stop
from service.domain.broadcasts.sending.judging import Stop
from service.domain.broadcasts.sending.settling import next_settling
from service.domain.jobs.running import save_progress
from service.domain.runtime import Runtime
from service.entities.broadcasts import Broadcast, WaitReason
from service.entities.jobs import Job, JobState
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts import broadcasts
from service.storage.database.pool import Connection

FIRST_PAUSE: Final = timedelta(seconds=1)
MAX_PAUSE: Final = timedelta(minutes=10)
# 2 to the power of it, in seconds, is more than the longest pause.
MAX_DOUBLINGS: Final = 10

log = logging.getLogger(__name__)


async def stop_broadcast(runtime: Runtime, job: Job, stop: Stop) -> Job:
    """Return the job as it waits or is PAUSED; others of the channel may send. Raises JobLeaseLostError."""
    until, payload = stop.until, job.payload
    if stop.state is JobState.WAITING and until is None:
        pauses = int(payload.get("pauses", 0))
        until = runtime.clock() + min(FIRST_PAUSE * 2 ** min(pauses, MAX_DOUBLINGS), MAX_PAUSE)
        payload = {**payload, "pauses": pauses + 1}
    async with runtime.pool.acquire() as conn, conn.transaction():
        wanted = replace(job, state=stop.state, resumes_at=until, payload=payload, error=stop.because)
        stopped = await _end_slice(conn, runtime, wanted, stop.waiting_for)
    log_stop(stopped, stop.waiting_for)
    return stopped


async def hand_on(runtime: Runtime, job: Job, payload: Mapping[str, Any] | None = None) -> Job:
    """Return the job as QUEUED, for any worker to go on with. Raises JobLeaseLostError."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        wanted = replace(job, state=JobState.QUEUED, payload=job.payload if payload is None else payload)
        return await _end_slice(conn, runtime, wanted, None)


async def finish_or_wait(runtime: Runtime, job: Job) -> Job | None:
    """Return the job as DONE, or as it waits for what may be known still; None where somebody is planned again.

    Raises JobLeaseLostError.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        await ledger.end_sending_turn(conn, job.channel_id, job.job_id)
        broadcast = await lock_held(conn, runtime, job)
        if broadcast.planned:
            return None
        due = await next_settling(conn, runtime, broadcast)
        if due is None:
            _log_uncertain(broadcast)
            return await _end_slice(conn, runtime, replace(job, state=JobState.DONE, error=None), None)
        wanted = replace(job, state=JobState.WAITING, resumes_at=max(due, runtime.clock()))
        return await _end_slice(conn, runtime, wanted, WaitReason.RATE)


def _log_uncertain(broadcast: Broadcast) -> None:
    if broadcast.uncertain:
        log.warning(
            "broadcast %d of channel %d is done; of %d people nobody knows whether they got it",
            broadcast.job_id,
            broadcast.channel_id,
            broadcast.uncertain,
        )


async def lock_held(conn: Connection, runtime: Runtime, job: Job) -> Broadcast:
    """Lock the broadcast of a job that is held and RUNNING, and return it. Raises JobLeaseLostError."""
    await save_progress(conn, runtime, job)
    broadcast = await broadcasts.lock_broadcast(conn, job.channel_id, job.job_id)
    if broadcast is None:
        raise LookupError("no such broadcast")
    return broadcast


async def _end_slice(conn: Connection, runtime: Runtime, wanted: Job, waiting_for: WaitReason | None) -> Job:
    await ledger.end_sending_turn(conn, wanted.channel_id, wanted.job_id)
    saved = await save_progress(conn, runtime, wanted)
    await ledger.set_waiting_for(conn, wanted.channel_id, wanted.job_id, waiting_for)
    return saved
