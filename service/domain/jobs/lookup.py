"""Find, list and cancel jobs for those who may start them."""

from collections.abc import Collection
from datetime import timedelta
from typing import Final

from service.domain.audit.recording import record
from service.domain.audit.values import job_ref
from service.domain.channels.lookup import find_channel
from service.domain.jobs.starting import publish_job_change
from service.domain.runtime import Runtime
from service.entities.errors import ForbiddenError, NotFoundError
from service.entities.jobs import JOB_PERMISSIONS, Job, JobKind
from service.entities.paging import Page
from service.entities.principal import Principal
from service.storage import audiences, jobs
from service.storage.database.pool import Connection

JOB_RETENTION: Final = timedelta(days=30)
# The largest value of the type of the columns; PostgreSQL refuses to compare with a larger one.
MAX_JOB_ID: Final = 2**31 - 1


def permitted_job_kinds(principal: Principal) -> frozenset[JobKind]:
    """Return the kinds of jobs that the principal may start, see and cancel."""
    return frozenset(kind for kind, permission in JOB_PERMISSIONS.items() if principal.may(permission))


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
        await record(
            conn,
            runtime,
            principal,
            "cancel_job",
            channel_id=channel_id,
            target=job_ref(job),
            before={"state": job.state},
            after={"state": cancelled.state},
        )
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
