"""Make broadcasts of the loaded channel, and see what sending them takes."""

import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from benchmarks.imitation import APP_SECRET, acting_runtime, imitated_wechat
from benchmarks.machine import Machine
from benchmarks.spent_time import SpentTime, spent_time
from service.domain.broadcasts.slices import run_broadcast_slice
from service.domain.channels.binding import ChannelUpdate, Credentials, update_channel
from service.domain.jobs.starting import start_job
from service.domain.runtime import Runtime
from service.entities.broadcast_messages import BroadcastMessage, TemplateField, TemplateMessage
from service.entities.broadcasts import Broadcast
from service.entities.channels import Channel
from service.entities.expressions import Expression, to_json
from service.entities.jobs import Job, JobKind, JobState
from service.storage import jobs
from service.storage.broadcasts import broadcasts
from service.storage.broadcasts.broadcasts import insert_broadcast

# Some people with a tag get this message.
TAG: Final = 1_000
TEMPLATE: Final = TemplateMessage(
    "template-of-the-benchmark",
    (TemplateField("thing1", "Your parcel"), TemplateField("character_string2", "{{openid}}")),
    "https://example.com/?who={{openid}}",
    None,
)
LEASE: Final = timedelta(hours=6)
TABLES_OF_LEDGER: Final = (
    *("broadcast_people", "broadcast_chunk", "broadcast_chunk_block", "broadcast_send", "broadcast_failure"),
)


@dataclass(frozen=True, slots=True)
class Sent:
    """Hold a broadcast that was sent, what its freeze and its sending took, and the bytes that its ledger takes."""

    broadcast: Broadcast
    frozen: SpentTime
    sending: SpentTime
    ledger: int


@dataclass(frozen=True, slots=True)
class Sender:
    """Hold a runtime that sends for the loaded channel to an imitation, which takes everything and keeps nothing."""

    machine: Machine
    runtime: Runtime
    channel: Channel
    imitation: int

    async def send(self, message: BroadcastMessage, audience: Expression) -> Sent:
        """Send a message to an audience. Raises RuntimeError unless everybody who was planned got it."""
        job = await make_broadcast(self.machine, self.runtime, self.channel, message, audience)
        before = await self._ledger_bytes()
        async with spent_time(self.machine, self.imitation) as frozen:
            job = await run_broadcast_slice(self.runtime, job)
        planned = (await self.broadcast(job)).planned
        async with spent_time(self.machine, self.imitation) as sending:
            while job.state is JobState.RUNNING:
                job = await self._held(await run_broadcast_slice(self.runtime, job))
        broadcast = await self.broadcast(job)
        if job.state is not JobState.DONE or not 0 < planned == broadcast.sent:
            raise RuntimeError(f"{broadcast.sent} of {planned} people were sent to: {job}")
        return Sent(broadcast, frozen, sending, await self._ledger_bytes() - before)

    async def _held(self, job: Job) -> Job:
        """Claim a job again that was handed on."""
        if job.state is not JobState.QUEUED:
            return job
        return await claim(self.runtime, job)

    async def broadcast(self, job: Job) -> Broadcast:
        """Return the broadcast of a job as it is now."""
        async with self.runtime.pool.acquire() as conn:
            found = await broadcasts.broadcast(conn, job.channel_id, job.job_id)
        if found is None:
            raise LookupError("a broadcast that was made is there")
        return found

    async def _ledger_bytes(self) -> int:
        return sum([await self.machine.table_bytes(each) for each in TABLES_OF_LEDGER])


@asynccontextmanager
async def sender(machine: Machine) -> AsyncIterator[Sender]:
    """Yield what sends for the loaded channel."""
    async with imitated_wechat(0, limitless=True) as (url, pid), acting_runtime(machine, url) as runtime:
        secret = ChannelUpdate(None, None, Credentials(app_secret=APP_SECRET))
        channel = await update_channel(runtime, machine.principal, machine.channel.channel_id, secret)
        yield Sender(machine, runtime, channel, pid)


async def make_broadcast(
    machine: Machine, runtime: Runtime, channel: Channel, message: BroadcastMessage, audience: Expression
) -> Job:
    """Insert a broadcast that starts at once, and return its job as this process holds it."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await start_job(
            conn,
            runtime,
            channel,
            JobKind.BROADCAST,
            total=None,
            payload={"stage": "START"},
            principal=machine.principal,
        )
        broadcast = Broadcast(
            channel_id=channel.channel_id,
            job_id=job.job_id,
            kind=message.kind,
            name=None,
            message=message.to_json(),
            message_hash=hashlib.sha256(repr(message).encode()).digest(),
            audience=to_json(audience),
            audience_text="Benchmark",
            token=secrets.token_hex(8),
            idempotency_key=None,
            request_hash=None,
            start_at=runtime.clock(),
            hold_out_percent=0,
            once_only=None,
            confirm_duplicate=True,
            confirm_late=False,
            ignore_caps=False,
            ignore_quiet_hours=False,
            temporary_tag=False,
            repeat=None,
        )
        await insert_broadcast(conn, broadcast)
    return await claim(runtime, job)


async def claim(runtime: Runtime, job: Job) -> Job:
    """Return a job as this process holds it."""
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        claimed = await jobs.claim_job(conn, job.channel_id, job.job_id, now=now, lease_until=now + LEASE)
    if claimed is None:
        raise RuntimeError("a job that nobody holds can always be claimed")
    return claimed
