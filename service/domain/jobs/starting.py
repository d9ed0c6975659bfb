"""Start jobs in a transaction; PostgreSQL knows which are unfinished, and the queue only says it sooner."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import LimitExceededError
from service.entities.jobs import Job, JobChangeNotification, JobKind
from service.entities.principal import Principal
from service.entities.tasks import TaskName
from service.storage import jobs
from service.storage.database.pool import Connection

MAX_UNFINISHED_JOBS: Final = 20
# They are made long before they start, and wait for consent.
MAX_UNFINISHED_BROADCASTS: Final = 500


class StartedJob(NamedTuple):
    """Hold a job, and whether it was there before it was asked for."""

    job: Job
    already_running: bool


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

    Raises LimitExceededError when 20 jobs of its kind, or 500 broadcasts, are unfinished in the channel.
    """
    limit = MAX_UNFINISHED_BROADCASTS if kind is JobKind.BROADCAST else MAX_UNFINISHED_JOBS
    if await jobs.count_unfinished_jobs(conn, channel.channel_id, kind) >= limit:
        raise LimitExceededError(f"At most {limit} unfinished jobs of this kind a channel.")
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


async def start_only_job(
    conn: Connection,
    runtime: Runtime,
    channel: Channel,
    kind: JobKind,
    *,
    payload: Mapping[str, Any],
    principal: Principal,
) -> StartedJob:
    """Insert a job as `start_job` does, unless one of its kind is unfinished in the channel: then return that one."""
    running = await jobs.unfinished_job(conn, channel.channel_id, kind)
    if running is not None:
        return StartedJob(running, already_running=True)
    job = await start_job(conn, runtime, channel, kind, total=None, payload=payload, principal=principal)
    return StartedJob(job, already_running=False)


def enqueue_job(runtime: Runtime, job: Job) -> None:
    """Queue a new job after its commit; if the task is lost, `reenqueue_unfinished_jobs` queues it again."""
    enqueue_job_task(runtime, job.channel_id, job.job_id, job.claim)
    publish_job_change(runtime, job)


async def resume_waiting_jobs(runtime: Runtime, channel_id: int) -> None:
    """Go on at once with the jobs of a channel that wait, as what they wait for may be mended; others wait again."""
    async with runtime.pool.acquire() as conn:
        waiting = await jobs.end_waiting(conn, channel_id, runtime.clock())
    for job in waiting:
        enqueue_job(runtime, job)


def enqueue_job_task(runtime: Runtime, channel_id: int, job_id: int, claim: int) -> None:
    """Queue a task that processes a job.

    The queue drops a task whose id is queued or running, so the id contains the claim, which grows with each claim.
    """
    runtime.queue.enqueue(TaskName.PROCESS_JOB, channel_id, job_id, task_id=f"job:{channel_id}:{job_id}:{claim}")


def publish_job_change(runtime: Runtime, job: Job) -> None:
    """Notify the watchers of a job that it has changed."""
    runtime.publisher.publish([JobChangeNotification(job.channel_id, job.job_id)])
