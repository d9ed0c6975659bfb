"""Send once more to those who failed for a reason that may pass, or, if an admin says so, to the uncertain ones.

Source: docs/specification.md §6.6.
"""

from service.domain.broadcasts.control.locking import check_open, lock_for, log_act
from service.domain.broadcasts.control.stopping import check_acting
from service.domain.broadcasts.sending.replanning import plan_again
from service.domain.jobs.starting import enqueue_job, publish_job_change
from service.domain.official_account.acting import refresh_acting
from service.domain.runtime import Runtime
from service.entities.errors import ConflictError
from service.entities.jobs import Job, JobState
from service.entities.principal import Principal
from service.storage import broadcast_control


async def retry_broadcast(
    runtime: Runtime, principal: Principal, channel_id: int, job_id: int, *, uncertain: bool
) -> Job:
    """Plan people of a broadcast again that is DONE or PAUSED, and return its job: a DONE one goes on if there are any.

    They are those who failed for a reason that may pass; with `uncertain` exactly those of whom no answer says whether
    they were sent to. Raises ForbiddenError, NotFoundError, ChannelNotBoundError, ConflictError in any other state, and
    UpstreamError while this installation makes no calls.
    """
    await refresh_acting(runtime)
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = (await lock_for(conn, principal, channel_id, job_id)).job
        if job.state not in {JobState.DONE, JobState.PAUSED}:
            raise ConflictError(f"Only a broadcast that is DONE or PAUSED is retried; this one is {job.state}.")
        await check_open(conn, channel_id)
        check_acting(runtime)
        planned = await plan_again(conn, runtime, job, uncertain=uncertain)
        if planned and job.state is JobState.DONE:
            job = await broadcast_control.set_broadcast_state(conn, job, JobState.QUEUED)
    if job.state is JobState.QUEUED:
        enqueue_job(runtime, job)
    else:
        publish_job_change(runtime, job)
    log_act(principal, "retry", job, uncertain=uncertain, people=planned)
    return job
