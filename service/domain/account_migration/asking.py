"""Ask WeChat which openids the followers of an account got when it was migrated, in a job of any length.

Source: the guide of account migration at kf.qq.com, and `/cgi-bin/changeopenid`, 100 openids a call, with the token of
the new account.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, replace
from typing import Final

from service.domain.account_migration.migrating import MigrationResult, migrate_openids
from service.domain.account_migration.pairs import OpenidPair
from service.domain.jobs.running import save_progress
from service.domain.jobs.starting import StartedJob, enqueue_job, start_only_job
from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job, JobKind, JobState
from service.entities.principal import Principal
from service.storage import account_migration, channels, jobs
from service.storage.database.pool import Connection
from service.wechat.api.user_calls import MAX_USERS_PER_CALL, change_openids

StartedAlongWith = Callable[[Connection, Job], Awaitable[None]]
NOTHING_DONE: Final = {"next": 0, "moved": 0, "unchanged": 0, "united": 0, "unknown": 0, "rejected": 0}


def can_be_asked(channel: Channel) -> bool:
    """Tell whether WeChat can be asked about a channel: it was another account before, and has an app secret."""
    return channel.former_app_id is not None and channel.encrypted_app_secret is not None


async def start_asking(
    runtime: Runtime, principal: Principal, channel: Channel, along_with: StartedAlongWith | None = None
) -> Job:
    """Start to ask about everybody whose openid is still of the account before; return the job, or the one at it.

    What is to be written `along_with` a new job is written in its transaction.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        state = await channels.lock_channel_state(conn, channel.channel_id)
        payload = {**NOTHING_DONE, "from": channel.former_app_id, "end": state.next_ordinal}
        started: StartedJob = await start_only_job(
            conn, runtime, channel, JobKind.OPENID_MIGRATION, payload=payload, principal=principal
        )
        job = started.job
        if not started.already_running:
            job = await jobs.set_job_total(conn, job, state.user_count)
            if along_with is not None:
                await along_with(conn, job)
    enqueue_job(runtime, job)
    return job


async def ask_slice(runtime: Runtime, job: Job) -> Job:
    """Ask about the next 100 openids, and migrate those that WeChat tells; return the job after it.

    Raises what `call_wechat` raises, and JobLeaseLostError.
    """
    async with runtime.pool.acquire() as conn:
        (channel,) = await channels.channels_by_id(conn, [job.channel_id])
        asked = await account_migration.openids_to_ask(
            conn, channel, start=job.payload["next"], end=job.payload["end"], limit=MAX_USERS_PER_CALL
        )
    if not asked:
        async with runtime.pool.acquire() as conn, conn.transaction():
            return await save_progress(conn, runtime, replace(job, state=JobState.DONE, resumes_at=None))
    found = await call_wechat(runtime, channel, change_openids(job.payload["from"], list(asked.values())))
    pairs = [OpenidPair(openid, found[openid]) for openid in asked.values() if openid in found]
    progress = _Progress(runtime, job)
    if pairs:
        await migrate_openids(runtime, channel, pairs, progress.add)
    return await progress.finish(max(asked) + 1, len(asked), len(asked) - len(pairs))


class _Progress:
    """Write what became of pairs into the payload of a job, in the transactions in which it does."""

    def __init__(self, runtime: Runtime, job: Job) -> None:
        self._runtime = runtime
        self._job = job

    async def add(self, conn: Connection, result: MigrationResult) -> None:
        """Count what becomes of some pairs. Raises JobLeaseLostError."""
        counts = {**asdict(replace(result, rejected=[])), "rejected": len(result.rejected)}
        await self._save(conn, self._job, counts)

    async def finish(self, next_ordinal: int, done: int, unknown: int) -> Job:
        """Go on after those who were asked about, and return the job. Raises JobLeaseLostError."""
        async with self._runtime.pool.acquire() as conn, conn.transaction():
            job = replace(self._job, done=self._job.done + done, resumes_at=None)
            return await self._save(conn, job, {"unknown": unknown}, next=next_ordinal)

    async def _save(self, conn: Connection, job: Job, counts: Mapping[str, int], **changes: int) -> Job:
        counted = {name: job.payload[name] + count for name, count in counts.items()}
        payload = {**job.payload, **counted, **changes}
        self._job = await save_progress(conn, self._runtime, replace(job, payload=payload))
        return self._job
