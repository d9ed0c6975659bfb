"""Do the next piece of a broadcast, whatever stage it is in (docs/specification.md §6.6)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from service.domain.broadcasts.sending.slices import send_slice
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job
from service.storage import channels

STAGES: Final[Mapping[str, Callable[[Runtime, Channel, Job], Awaitable[Job]]]] = {
    "SEND": send_slice,
}


async def run_broadcast_slice(runtime: Runtime, job: Job) -> Job:
    """Do the next piece of a broadcast, and return its job after it. Raises JobLeaseLostError."""
    async with runtime.pool.acquire() as conn:
        [channel] = await channels.channels_by_id(conn, [job.channel_id])
    return await STAGES[job.payload["stage"]](runtime, channel, job)
