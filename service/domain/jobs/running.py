"""Process jobs in slices on any worker.

A worker that claims a job holds it until its lease ends, and renews the lease with each slice and while one takes long.
A slice is written only while the worker still holds the job, so a worker that was taken for dead does no harm.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Final, TypeAlias

from service.domain.jobs.starting import enqueue_job_task, publish_job_change
from service.domain.runtime import Runtime
from service.entities.errors import INTERNAL_ERROR_MESSAGE, ErrorCode, RequestError, UpstreamError
from service.entities.jobs import Job, JobKind, JobState
from service.foundation.cancellation import cancel_and_wait
from service.storage import audiences, jobs
from service.storage.database.pool import DATABASE_ERRORS, Connection
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import UnansweredError, WechatError

LEASE_DURATION: Final = timedelta(seconds=30)
# Seconds: a call to WeChat with its repeats may take longer than a lease.
RENEWAL_INTERVAL: Final = 10.0
RELEASE_TIMEOUT: Final = 2.0
MAX_FAILURES: Final = 5
# Every few seconds; no worker gets through so many.
MAX_ENQUEUED: Final = 1_000
# Half an hour: an outage of WeChat's is no reason to begin anew with thousands of calls.
MAX_UPSTREAM_FAILURES: Final = 10
FIRST_RETRY_DELAY: Final = timedelta(seconds=5)
MAX_RETRY_DELAY: Final = timedelta(minutes=10)
# What may be cured by waiting. A stop of the account is found by the next attempt, which waits for its end.
PASSING_DECISIONS: Final = frozenset({Decision.REFRESH, Decision.BACK_OFF, Decision.WAIT_FOR_ADMIN})

log = logging.getLogger(__name__)

SliceFunction: TypeAlias = Callable[[Runtime, Job], Awaitable[Job]]


class JobLeaseLostError(Exception):
    """Raised when the job was cancelled or another worker claimed it; nothing of the slice may be kept."""


class JobMustWaitError(Exception):
    """Report that a slice cannot be done before `until`, for a reason that is no failure."""

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


async def reenqueue_unfinished_jobs(runtime: Runtime) -> int:
    """Queue again unfinished jobs that no worker holds and that need not wait, and return how many those were."""
    async with runtime.pool.acquire() as conn:
        unfinished = await jobs.unfinished_jobs(conn, runtime.clock(), limit=MAX_ENQUEUED)
    for each in unfinished:
        enqueue_job_task(runtime, each.channel_id, each.job_id, each.claim)
    return len(unfinished)


async def run_job(runtime: Runtime, slices: Mapping[JobKind, SliceFunction], channel_id: int, job_id: int) -> None:
    """Process a job until it is finished, has to wait or is taken away; do nothing while another worker holds it."""
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        job = await jobs.claim_job(conn, channel_id, job_id, now=now, lease_until=now + LEASE_DURATION)
    while job is not None:
        publish_job_change(runtime, job)
        if job.state is not JobState.RUNNING:
            return
        job = await _run_slice(runtime, slices[job.kind], job)


async def _run_slice(runtime: Runtime, work: SliceFunction, job: Job) -> Job | None:
    """Return the job after one slice; None when this worker no longer holds it."""
    try:
        async with _lease_renewed(runtime, job):
            return await work(runtime, job)
    except JobLeaseLostError:
        return None
    except JobMustWaitError as error:
        log.info("job %d of channel %d waits: %s", job.job_id, job.channel_id, error)
        return await _end_slice(runtime, job, partial(_to_waiting, until=error.until))
    except RequestError as error:
        return await _end_slice(runtime, job, partial(_to_failed, error=error, now=runtime.clock()))
    except (WechatError, UnansweredError) as error:
        log.warning("a slice of job %d of channel %d failed: %s", job.job_id, job.channel_id, error)
        passes = isinstance(error, UnansweredError) or error.decision in PASSING_DECISIONS
        upstream = UpstreamError(error.message_for_clients)
        end = partial(_retry_or_fail, most=MAX_UPSTREAM_FAILURES) if passes else _to_failed
        return await _end_slice(runtime, job, partial(end, error=upstream, now=runtime.clock()))
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(RELEASE_TIMEOUT):
                await _end_slice(runtime, job, partial(replace, state=JobState.QUEUED, lease_until=None))
        raise
    except Exception:
        log.exception("a slice of job %d of channel %d failed", job.job_id, job.channel_id)
        internal = RequestError(ErrorCode.INTERNAL, INTERNAL_ERROR_MESSAGE)
        return await _end_slice(runtime, job, partial(_retry_or_fail, error=internal, now=runtime.clock()))


@asynccontextmanager
async def _lease_renewed(runtime: Runtime, job: Job) -> AsyncGenerator[None]:
    """Renew the lease of a job time and again until the block is left."""
    renewing = asyncio.create_task(_renew_lease(runtime, job), name="lease of a job")
    try:
        yield
    finally:
        await cancel_and_wait(renewing)


async def _renew_lease(runtime: Runtime, job: Job) -> None:
    while True:
        await asyncio.sleep(RENEWAL_INTERVAL)
        try:
            async with runtime.pool.acquire() as conn:
                await jobs.renew_lease(conn, job, runtime.clock() + LEASE_DURATION)
        except DATABASE_ERRORS as error:
            log.warning("the lease of job %d of channel %d is not renewed: %s", job.job_id, job.channel_id, error)


async def save_progress(conn: Connection, runtime: Runtime, wanted: Job) -> Job:
    """Write the progress of a job in the transaction of its slice, and return it with a new lease.

    A job that is done by it no longer holds whom it was about.

    Raises JobLeaseLostError; then the transaction of the slice must be rolled back.
    """
    now = runtime.clock()
    running = wanted.state is JobState.RUNNING
    written = await jobs.write_job(
        conn,
        replace(
            wanted,
            failures=0,
            lease_until=now + LEASE_DURATION if running else None,
            finished_at=now if wanted.state.finished else None,
        ),
    )
    if written is None:
        raise JobLeaseLostError
    if written.state.finished:
        await audiences.drop_leftovers_of_job(conn, written.channel_id, written.job_id)
    return written


async def _end_slice(runtime: Runtime, job: Job, change: Callable[[Job], Job]) -> Job | None:
    """Change a job whose slice ended early; the progress that the slice has saved stays.

    Returns the job after it; None when this worker no longer holds it.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        saved = await jobs.lock_job(conn, job.channel_id, job.job_id)
        if saved is None or saved.claim != job.claim:
            return None
        written = await jobs.write_job(conn, change(saved))
        if written is not None and written.state.finished:
            await audiences.drop_leftovers_of_job(conn, written.channel_id, written.job_id)
        return written


def _to_waiting(job: Job, until: datetime) -> Job:
    return replace(job, state=JobState.WAITING, lease_until=None, resumes_at=until)


def _to_failed(job: Job, error: RequestError, now: datetime) -> Job:
    """Return the job as FAILED, without another attempt."""
    return replace(
        job,
        state=JobState.FAILED,
        error=error.message,
        error_code=error.code.value,
        finished_at=now,
        lease_until=None,
    )


def _retry_or_fail(job: Job, error: RequestError, now: datetime, most: int = MAX_FAILURES) -> Job:
    """Return the job to be tried again, later after each failure, and as FAILED after `most` in a row."""
    failed = replace(job, failures=job.failures + 1)
    if failed.failures >= most:
        return _to_failed(failed, error, now)
    return _to_waiting(failed, now + min(FIRST_RETRY_DELAY * 2**job.failures, MAX_RETRY_DELAY))
