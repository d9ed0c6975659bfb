"""Start jobs in a transaction, process them in slices on any worker, and let users watch and cancel them.

PostgreSQL knows which jobs are unfinished. A worker that claims a job holds it until its lease ends, and renews the
lease with each slice. A slice is written only while the worker still holds the job, so a worker that was taken for dead
does no harm.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

from service.domain.channels.lookup import find_channel
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import (
    INTERNAL_ERROR_MESSAGE,
    ErrorCode,
    ForbiddenError,
    LimitExceededError,
    NotFoundError,
    RequestError,
)
from service.entities.jobs import JOB_PERMISSIONS, Job, JobChangeNotification, JobKind, JobState
from service.entities.paging import Page
from service.entities.principal import Principal
from service.entities.tasks import TaskName
from service.storage import audiences, jobs
from service.storage.database.pool import Connection

LEASE_DURATION: Final = timedelta(seconds=30)
RELEASE_TIMEOUT: Final = 2.0
MAX_FAILURES: Final = 5
FIRST_RETRY_DELAY: Final = timedelta(seconds=5)
MAX_UNFINISHED_JOBS: Final = 20
JOB_RETENTION: Final = timedelta(days=30)
# The largest value of the type of the columns; PostgreSQL refuses to compare with a larger one.
MAX_JOB_ID: Final = 2**31 - 1

log = logging.getLogger(__name__)

SliceFunction: TypeAlias = Callable[[Runtime, Job], Awaitable[Job]]


class JobLeaseLostError(Exception):
    """Raised when the job was cancelled or another worker claimed it; nothing of the slice may be kept."""


def permitted_job_kinds(principal: Principal) -> frozenset[JobKind]:
    """Return the kinds of jobs that the principal may start, see and cancel."""
    return frozenset(kind for kind, permission in JOB_PERMISSIONS.items() if principal.may(permission))


async def start_job(
    conn: Connection,
    runtime: Runtime,
    channel: Channel,
    kind: JobKind,
    *,
    total: int | None,
    payload: Mapping[str, Any],
    principal: Principal,
    starts_at: datetime | None = None,
) -> Job:
    """Insert a job, to be enqueued after the commit with `enqueue_job`; the caller holds the channel's state.

    Raises LimitExceededError when 20 jobs of its kind are unfinished in the channel.
    """
    if await jobs.count_unfinished_jobs(conn, channel.channel_id, kind) >= MAX_UNFINISHED_JOBS:
        raise LimitExceededError(f"At most {MAX_UNFINISHED_JOBS} unfinished jobs of this kind a channel.")
    return await jobs.insert_job(
        conn,
        channel.channel_id,
        kind,
        total=total,
        payload=payload,
        created_by=principal.subject,
        now=runtime.clock(),
        starts_at=starts_at,
    )


def enqueue_job(runtime: Runtime, job: Job) -> None:
    """Queue a new job after its commit; if the task is lost, `reenqueue_unfinished_jobs` queues it again."""
    enqueue_job_task(runtime, job.channel_id, job.job_id, job.claim)
    publish_job_change(runtime, job)


def enqueue_job_task(runtime: Runtime, channel_id: int, job_id: int, claim: int) -> None:
    """Queue a task that processes a job.

    The queue drops a task whose id is queued or running, so the id contains the claim, which grows with each claim.
    """
    runtime.queue.enqueue(TaskName.PROCESS_JOB, channel_id, job_id, task_id=f"job:{channel_id}:{job_id}:{claim}")


def publish_job_change(runtime: Runtime, job: Job) -> None:
    """Notify the watchers of a job that it has changed."""
    runtime.publisher.publish([JobChangeNotification(job.channel_id, job.job_id)])


async def reenqueue_unfinished_jobs(runtime: Runtime) -> int:
    """Queue again the unfinished jobs that no worker holds and that need not wait, and return how many those were."""
    async with runtime.pool.acquire() as conn:
        unfinished = await jobs.unfinished_jobs(conn, runtime.clock())
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
        return await work(runtime, job)
    except JobLeaseLostError:
        return None
    except RequestError as error:
        return await _write(runtime, to_failed(job, error.code, error.message, runtime.clock()))
    except asyncio.CancelledError:
        with suppress(Exception):
            async with asyncio.timeout(RELEASE_TIMEOUT):
                await _write(runtime, replace(job, state=JobState.QUEUED, lease_until=None))
        raise
    except Exception:
        log.exception("a slice of job %d of channel %d failed", job.job_id, job.channel_id)
        return await _write(runtime, _retry_or_fail(job, runtime.clock()))


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


def to_failed(job: Job, code: ErrorCode, message: str, now: datetime) -> Job:
    """Return the job as FAILED, without another attempt; `message` is shown to people, `code` to programs."""
    return replace(
        job,
        state=JobState.FAILED,
        error=message,
        error_code=code.value,
        finished_at=now,
        lease_until=None,
        resumes_at=None,
    )


def _retry_or_fail(job: Job, now: datetime) -> Job:
    """Return the job to be tried again, later after each failure, and as FAILED after `MAX_FAILURES` in a row."""
    failures = job.failures + 1
    if failures >= MAX_FAILURES:
        return replace(
            to_failed(job, ErrorCode.INTERNAL, INTERNAL_ERROR_MESSAGE, now),
            failures=failures,
        )
    return replace(
        job,
        state=JobState.WAITING,
        failures=failures,
        lease_until=None,
        resumes_at=now + FIRST_RETRY_DELAY * 2 ** (failures - 1),
    )


async def _write(runtime: Runtime, wanted: Job) -> Job | None:
    async with runtime.pool.acquire() as conn, conn.transaction():
        written = await jobs.write_job(conn, wanted)
        if written is not None and written.state.finished:
            await audiences.drop_leftovers_of_job(conn, written.channel_id, written.job_id)
        return written


async def find_job(runtime: Runtime, principal: Principal, kind: JobKind, channel_id: int, job_id: int) -> Job:
    """Return a job of this kind. Raises ForbiddenError for roles that see no jobs, NotFoundError."""
    async with runtime.pool.acquire() as conn:
        return await _find_job(conn, principal, kind, channel_id, job_id)


async def cancel_job(runtime: Runtime, principal: Principal, kind: JobKind, channel_id: int, job_id: int) -> Job:
    """Return the job, CANCELLED unless it was finished before; what it already did stays done.

    Raises ForbiddenError for roles that see no jobs, NotFoundError.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await _find_job(conn, principal, kind, channel_id, job_id)
        cancelled = await jobs.cancel_job(conn, job.channel_id, job.job_id, runtime.clock())
        if cancelled is None:
            return await _find_job(conn, principal, kind, channel_id, job_id)
        await audiences.drop_leftovers_of_job(conn, job.channel_id, job.job_id)
    publish_job_change(runtime, cancelled)
    return cancelled


async def jobs_of_channel(
    runtime: Runtime, channel_id: int, kinds: Collection[JobKind], *, first: int, before: int | None
) -> Page[Job]:
    """Return the `first` newest jobs of these kinds before id `before`, newest first; None is any."""
    async with runtime.pool.acquire() as conn:
        newest = MAX_JOB_ID if before is None else min(before, MAX_JOB_ID)
        found = await jobs.jobs_page(conn, channel_id, kinds, before=newest, limit=first + 1)
    return Page(found[:first], len(found) > first)


async def _find_job(conn: Connection, principal: Principal, kind: JobKind, channel_id: int, job_id: int) -> Job:
    permitted = permitted_job_kinds(principal)
    if not permitted:
        raise ForbiddenError
    if kind not in permitted or job_id > MAX_JOB_ID:
        raise NotFoundError("job")
    await find_channel(conn, principal, channel_id, JOB_PERMISSIONS[kind], sought="job")
    job = await jobs.job(conn, channel_id, job_id)
    if job is None or job.kind is not kind:
        raise NotFoundError("job")
    return job
