"""Put broadcasts and their people straight into the tables, without sending anything."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from asyncpg import BitString

from service.domain.jobs.starting import start_job
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.entities.broadcasts import Broadcast, MessageKind
from service.entities.channels import Channel
from service.entities.expressions import FOLLOWERS, Expression, to_json
from service.entities.jobs import Job, JobKind, JobState
from service.storage.broadcasts import insert_broadcast
from tests.support.runtime import admin

FINISH = "update job set state = $3, finished_at = $4 where channel_id = $1 and job_id = $2"


async def insert_broadcast_of(
    runtime: Runtime, channel: Channel, *, audience: Expression = FOLLOWERS, total: int | None = None, **given: object
) -> Job:
    """Insert a QUEUED broadcast of a text, with whatever is given of its row instead, and return its job."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await start_job(
            conn, runtime, channel, JobKind.BROADCAST, total=total, payload={"stage": "START"}, principal=admin()
        )
        made = Broadcast(
            channel_id=channel.channel_id,
            job_id=job.job_id,
            kind=MessageKind.MASS_TEXT,
            name=None,
            message={"text": "Hello"},
            message_hash=b"\x00" * 32,
            audience=to_json(audience),
            audience_text="Followers",
            token=f"token{job.job_id}",
            idempotency_key=None,
            request_hash=None,
            start_at=runtime.clock(),
            hold_out_percent=0,
            once_only=None,
            confirm_duplicate=False,
            confirm_late=False,
            ignore_caps=False,
            ignore_quiet_hours=False,
            temporary_tag=False,
            repeat=None,
        )
        await insert_broadcast(conn, replace(made, **given))  # type: ignore[arg-type]
    return job


async def set_people(runtime: Runtime, job: Job, people: Mapping[str, Collection[int]]) -> None:
    """Give roles of a broadcast, by name, the ordinals in them."""
    for role, ordinals in people.items():
        for block in sorted({each // BLOCK_SIZE for each in ordinals}):
            offsets = {each % BLOCK_SIZE for each in ordinals if each // BLOCK_SIZE == block}
            await runtime.pool.execute(
                "insert into broadcast_people (channel_id, job_id, role, block, members) values ($1, $2, $3, $4, $5)",
                job.channel_id,
                job.job_id,
                role,
                block,
                BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE),
            )


async def finish(runtime: Runtime, job: Job, state: JobState = JobState.DONE, at: datetime | None = None) -> None:
    """End a broadcast without any of the effects."""
    await runtime.pool.execute(FINISH, job.channel_id, job.job_id, state, at or runtime.clock())


async def people_of_role(runtime: Runtime, job: Job, role: str) -> set[int]:
    """Return the ordinals in a role of a broadcast."""
    rows = await runtime.pool.fetch(
        "select block, members from broadcast_people where channel_id = $1 and job_id = $2 and role = $3",
        job.channel_id,
        job.job_id,
        role,
    )
    return {
        row["block"] * BLOCK_SIZE + offset
        for row in rows
        for offset in range(BLOCK_SIZE)
        if row["members"].bytes[offset >> 3] & 0x80 >> (offset & 7)
    }
