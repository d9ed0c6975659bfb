"""Start broadcasts as a worker does, and look at what was frozen."""

from dataclasses import dataclass, replace
from typing import Any

from service.domain.broadcasts.audience.freezing import freeze
from service.domain.broadcasts.policy.stored import policy_of
from service.domain.jobs.running import LEASE_DURATION
from service.domain.runtime import Runtime
from service.entities.broadcasts import WaitReason
from service.entities.channels import Channel
from service.entities.expressions import Expression, to_json
from service.entities.jobs import Job, JobState
from service.storage import jobs
from service.storage.broadcasts.broadcast_policies import save_broadcast_policy
from tests.support.broadcast_rows import insert_broadcast_of, people_of_role, stored_broadcast
from tests.support.clock import FrozenClock

ROLES = (
    "select role, sum(bit_count(members))::int from broadcast_people where channel_id = $1 and job_id = $2 group by 1"
)


@dataclass(frozen=True)
class Starter:
    """Start broadcasts of a channel; the policy is as by default unless it is changed."""

    runtime: Runtime
    channel: Channel
    clock: FrozenClock
    blacklist: dict[str, None]

    async def make(self, audience: Expression, **given: Any) -> Job:
        """Make a broadcast that is due now, unless it is given otherwise."""
        return await insert_broadcast_of(self.runtime, self.channel, audience=to_json(audience), **given)

    async def start(self, job: Job) -> Job:
        """Let a worker claim a broadcast and freeze it, if nothing is in the way."""
        now = self.runtime.clock()
        async with self.runtime.pool.acquire() as conn:
            claimed = await jobs.claim_job(conn, job.channel_id, job.job_id, now=now, lease_until=now + LEASE_DURATION)
        assert claimed is not None, "no worker may claim it now"
        return await freeze(self.runtime, self.channel, claimed)

    async def start_when_due(self, job: Job) -> Job:
        """Start a broadcast that waits, at the instant until which it does."""
        assert job.state is JobState.WAITING
        assert job.resumes_at is not None
        self.clock.advance(job.resumes_at - self.clock())
        return await self.start(job)

    async def claim_again(self, job: Job) -> None:
        """Let a broadcast that somebody has looked at be claimed again."""
        await self.runtime.pool.execute(
            "update job set state = 'QUEUED', lease_until = null where channel_id = $1 and job_id = $2",
            job.channel_id,
            job.job_id,
        )

    async def change(self, job: Job, **changes: Any) -> None:
        """Change columns of a broadcast's row."""
        for column, value in changes.items():
            await self.runtime.pool.execute(
                f"update broadcast set {column} = $3 where channel_id = $1 and job_id = $2",  # noqa: S608
                job.channel_id,
                job.job_id,
                value,
            )

    async def roles(self, job: Job) -> dict[str, int]:
        """Return how many people each role of a broadcast has."""
        return {row[0]: row[1] for row in await self.runtime.pool.fetch(ROLES, job.channel_id, job.job_id)}

    async def planned(self, job: Job) -> set[int]:
        """Return the ordinals of those who are planned."""
        return await people_of_role(self.runtime, job, "PLANNED")

    async def waits_for(self, job: Job) -> WaitReason | None:
        """Return what a broadcast waits for, of which nothing is frozen."""
        found = await stored_broadcast(self.runtime, job)
        assert found.frozen_at is None
        assert (found.matched, found.following, found.planned) == (0, 0, 0)
        assert await self.roles(job) == {}
        return found.waiting_for

    async def set_policy(self, **changes: Any) -> None:
        """Change the policy of the channel."""
        async with self.runtime.pool.acquire() as conn:
            policy = replace(await policy_of(conn, self.channel.channel_id), **changes)
            await save_broadcast_policy(conn, self.channel.channel_id, policy)
