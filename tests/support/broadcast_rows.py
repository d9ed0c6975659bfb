"""Put people of broadcasts straight into the tables, end broadcasts, and look who is in which role."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from asyncpg import BitString

from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of, ordinals_in
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.entities.broadcasts import Broadcast
from service.entities.channels import Channel
from service.entities.jobs import Job, JobState
from service.storage import jobs
from service.storage.broadcasts import broadcast_ledger
from service.storage.broadcasts.broadcasts import broadcast
from tests.support.broadcasts import add_broadcast

FINISH = "update job set state = $3, finished_at = $4 where channel_id = $1 and job_id = $2"
ADD_PEOPLE = "insert into broadcast_people (channel_id, job_id, role, block, members) values ($1, $2, $3, $4, $5)"


async def insert_broadcast_of(runtime: Runtime, channel: Channel, **given: Any) -> Job:
    """Insert a QUEUED broadcast with whatever is given of its row, and return its job."""
    async with runtime.pool.acquire() as conn:
        made = await add_broadcast(
            conn, channel.channel_id, now=runtime.clock(), **{"start_at": runtime.clock()} | given
        )
        found = await jobs.job(conn, channel.channel_id, made.job_id)
    assert found is not None
    return found


async def stored_broadcast(runtime: Runtime, job: Job) -> Broadcast:
    """Return a broadcast as it is in the database."""
    async with runtime.pool.acquire() as conn:
        found = await broadcast(conn, job.channel_id, job.job_id)
    assert found is not None
    return found


async def set_people(runtime: Runtime, job: Job, people: Mapping[str, Collection[int]]) -> None:
    """Give roles of a broadcast, by name, the ordinals in them."""
    for role, ordinals in people.items():
        for block, bits in bitmaps_of(ordinals).items():
            members = BitString.frombytes(bits.to_bytes(BLOCK_BYTES), BLOCK_SIZE)
            await runtime.pool.execute(ADD_PEOPLE, job.channel_id, job.job_id, role, block, members)


async def finish(runtime: Runtime, job: Job, state: JobState = JobState.DONE, at: datetime | None = None) -> None:
    """End a broadcast without any of the effects."""
    await runtime.pool.execute(FINISH, job.channel_id, job.job_id, state, at or runtime.clock())


async def people_of_role(runtime: Runtime, job: Job, role: str) -> set[int]:
    """Return the ordinals in a role of a broadcast."""
    async with runtime.pool.acquire() as conn:
        found = await broadcast_ledger.people_of_role(conn, job.channel_id, job.job_id, role)
    return set(ordinals_in({block: each.members for block, each in found.items()}))
