"""Do the next piece of a broadcast: freeze its audience, then send (docs/specification.md §6.6)."""

import logging

from service.domain.broadcasts.audience.freezing import freeze
from service.domain.broadcasts.results.matching import match_sent
from service.domain.broadcasts.sending.judging import Stop
from service.domain.broadcasts.sending.preparing import freeze_content
from service.domain.broadcasts.sending.slices import send_slice
from service.domain.broadcasts.sending.stopping import stop_broadcast
from service.domain.jobs.running import MAX_FAILURES, JobLeaseLostError, JobMustWaitError
from service.domain.runtime import Runtime
from service.entities.broadcasts import WaitReason
from service.entities.errors import RequestError
from service.entities.jobs import Job, JobState
from service.storage import channels
from service.storage.broadcasts import broadcasts

log = logging.getLogger(__name__)


async def run_broadcast_slice(runtime: Runtime, job: Job) -> Job:
    """Do the next piece of a broadcast, and return its job after it.

    What nobody foresaw pauses it after some attempts, as a broadcast that FAILED cannot go on to those who are left.

    Raises JobLeaseLostError, and a RequestError where it can never start.
    """
    try:
        return await _next_piece(runtime, job)
    except (JobLeaseLostError, JobMustWaitError, RequestError):
        raise
    except Exception:
        if job.failures + 1 < MAX_FAILURES:
            raise
        log.exception("broadcast %d of channel %d is paused", job.job_id, job.channel_id)
        because = "It failed several times for a reason that the service's log tells."
        return await stop_broadcast(runtime, job, Stop(JobState.PAUSED, WaitReason.OPERATOR, because=because))


async def _next_piece(runtime: Runtime, job: Job) -> Job:
    async with runtime.pool.acquire() as conn:
        [channel] = await channels.channels_by_id(conn, [job.channel_id])
        broadcast = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
    if broadcast is None:
        raise LookupError("a job without its broadcast")
    if broadcast.frozen_at is not None:
        return await send_slice(runtime, channel, job, match_sent)
    job = await freeze(runtime, channel, job)
    if job.state is JobState.RUNNING:
        await freeze_content(runtime, channel, job)
    return job
