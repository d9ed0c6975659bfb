"""Do the next piece of a broadcast: freeze its audience, then send (docs/specification.md §6.6)."""

from service.domain.broadcasts.audience.freezing import freeze
from service.domain.broadcasts.sending.preparing import freeze_content
from service.domain.broadcasts.sending.slices import send_slice
from service.domain.runtime import Runtime
from service.entities.jobs import Job, JobState
from service.storage import broadcasts, channels


async def run_broadcast_slice(runtime: Runtime, job: Job) -> Job:
    """Do the next piece of a broadcast, and return its job after it.

    Raises JobLeaseLostError, and a RequestError where it can never start.
    """
    async with runtime.pool.acquire() as conn:
        [channel] = await channels.channels_by_id(conn, [job.channel_id])
        broadcast = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
    if broadcast is None:
        raise LookupError("a job without its broadcast")
    if broadcast.frozen_at is not None:
        return await send_slice(runtime, channel, job)
    job = await freeze(runtime, channel, job)
    if job.state is JobState.RUNNING:
        await freeze_content(runtime, channel, job)
    return job
