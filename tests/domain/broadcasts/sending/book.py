"""Put a broadcast into the tables as a freeze leaves it, and look at its ledger."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from service.domain.jobs.starting import start_job
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of, ordinals_in
from service.entities.broadcasts import Broadcast, BroadcastPolicy, HeldReason, MessageKind, PeopleRole, held
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind
from service.storage import jobs, wechat_accounts
from service.storage.broadcasts import broadcast_chunks, broadcast_reports, broadcasts
from service.storage.broadcasts import broadcast_ledger as ledger
from service.storage.broadcasts.broadcast_ledger import CountChanges, to_bits
from service.storage.database.pool import Connection
from tests.support.runtime import admin

FOLLOWS = (
    "insert into tag_members (channel_id, block, tag_id, members) values ($1, $2, 3, $3) "
    "on conflict (channel_id, block, tag_id) do update set members = excluded.members"
)
NO_LIMITS = BroadcastPolicy(
    time_zone="Asia/Shanghai",
    quiet_hours=None,
    respect_holidays=False,
    per_person_per_day=None,
    rolling=None,
    approval_above=None,
    missed_start_after=timedelta(hours=1),
    duplicate_within=timedelta(days=7),
    hold_out_key=UUID(int=0),
)
MESSAGES: dict[MessageKind, dict[str, Any]] = {
    MessageKind.MASS_TEXT: {"kind": "MASS_TEXT", "text": "Hello"},
    MessageKind.CUSTOMER_SERVICE_TEXT: {"kind": "CUSTOMER_SERVICE_TEXT", "text": "Hello"},
    MessageKind.TEMPLATE: {
        "kind": "TEMPLATE",
        "template_id": "template-1",
        "data": [{"key": "thing1", "value": "Hello"}],
        "url": None,
        "mini_program": None,
    },
    MessageKind.SERVICE_SUBSCRIPTION: {
        "kind": "SERVICE_SUBSCRIPTION",
        "template_id": "template-2",
        "data": [{"key": "thing1", "value": "Hello"}],
        "page": None,
        "mini_program": None,
    },
}


@dataclass
class Book:
    """Hold a channel whose broadcasts are looked at."""

    runtime: Runtime
    channel: Channel

    async def follow(self, people: Iterable[int]) -> None:
        """Let exactly these people follow, as far as the bits of tags tell."""
        for block, members in bitmaps_of(people).items():
            await self.runtime.pool.execute(FOLLOWS, self.channel.channel_id, block, to_bits(members))

    async def start(self, kind: MessageKind, people: Collection[int], **given: Any) -> Job:
        """Insert a broadcast that is frozen, all of its people planned, and claim its job as a worker does."""
        return await self.take_up(await self.insert(kind, people, **given))

    async def insert(self, kind: MessageKind, people: Collection[int], **given: Any) -> Job:
        """Insert a broadcast that is frozen, all of its people planned."""
        channel_id, now = self.channel.channel_id, self.runtime.clock()
        payload = {"stage": "SEND"}
        async with self.runtime.pool.acquire() as conn, conn.transaction():
            await wechat_accounts.insert_account(conn, channel_id)
            job = await start_job(
                conn, self.runtime, self.channel, JobKind.BROADCAST, total=None, payload=payload, principal=admin()
            )
            values = {
                "name": None,
                "message": MESSAGES.get(kind),
                "message_hash": b"hash",
                "audience": "{}",
                "audience_text": "Everybody",
                "token": f"token{job.job_id}",
                "idempotency_key": None,
                "request_hash": None,
                "start_at": now,
                "hold_out_percent": 0,
                "once_only": None,
                "confirm_duplicate": False,
                "confirm_late": False,
                "ignore_caps": False,
                "ignore_quiet_hours": False,
                "temporary_tag": False,
                "repeat": None,
            }
            await broadcasts.insert_broadcast(
                conn, Broadcast(channel_id=channel_id, job_id=job.job_id, kind=kind, **values | given)
            )
            members = bitmaps_of(people)
            roles = {PeopleRole.FROZEN.value: members, PeopleRole.PLANNED.value: members}
            await ledger.add_people(conn, channel_id, job.job_id, roles)
            await ledger.change_counts(conn, channel_id, job.job_id, CountChanges(planned=len(people)))
            await conn.execute(
                "update broadcast set matched = $3, frozen_at = $4 where channel_id = $1 and job_id = $2",
                channel_id,
                job.job_id,
                len(people),
                now,
            )
        return job

    async def take_up(self, job: Job) -> Job:
        """Claim a job as another worker does, whoever held it so far."""
        later = self.runtime.clock() + timedelta(minutes=1)
        async with self.runtime.pool.acquire() as conn:
            taken = await jobs.claim_job(conn, job.channel_id, job.job_id, now=later, lease_until=later)
        assert taken is not None
        return taken

    async def people(self, job: Job, role: str) -> list[int]:
        """Return the ordinals in a role."""
        async with self.runtime.pool.acquire() as conn:
            found = await ledger.people_of_role(conn, job.channel_id, job.job_id, role)
        return ordinals_in({block: each.members for block, each in found.items()})

    async def people_of_chunk(self, conn: Connection, job: Job, number: int) -> list[int]:
        """Return the ordinals in a chunk."""
        found = await broadcast_chunks.people_of_chunk(conn, job.channel_id, job.job_id, number)
        return ordinals_in({block: each.members for block, each in found.items()})

    async def held(self, job: Job, reason: HeldReason) -> list[int]:
        """Return the ordinals that are held for a reason."""
        return await self.people(job, held(reason))

    async def counts(self, job: Job) -> dict[str, int]:
        """Return the counts of a broadcast, which must add up."""
        async with self.runtime.pool.acquire() as conn:
            report = (await broadcast_reports.broadcast_reports(conn, job.channel_id, [job.job_id]))[job.job_id]
        found = report.broadcast
        counts = {name: getattr(found, name) for name in ("planned", "sent", "failed", "uncertain")}
        left_out = sum(each.count for each in (*report.held, *report.unsendable))
        assert found.matched == sum(counts.values()) + left_out
        assert counts["planned"] == len(await self.people(job, PeopleRole.PLANNED))
        assert min(counts.values()) >= 0
        return counts | {"held": sum(each.count for each in report.held)}

    async def failures(self, job: Job) -> dict[int, int]:
        """Return how many were refused with each code."""
        rows = await self.runtime.pool.fetch(
            "select errcode, people from broadcast_failure where channel_id = $1 and job_id = $2",
            job.channel_id,
            job.job_id,
        )
        return {row["errcode"]: row["people"] for row in rows}
