"""Store the jobs of a channel: insert them, claim them, save them slice by slice, prune them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg
import orjson

from service.entities.jobs import Job, JobKind, JobState, UnfinishedJob
from service.storage.change_feed import new_notice_id
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

COLUMNS = tuple(field.name for field in fields(Job))


async def insert_job(
    conn: Connection,
    channel_id: int,
    kind: JobKind,
    *,
    total: int | None,
    payload: Mapping[str, Any],
    created_by: str,
    now: datetime,
    starts_at: datetime | None = None,
) -> Job:
    """Insert a job, QUEUED, or WAITING until `starts_at`, and return it; locks the channel's state."""
    job_id = await conn.fetchval(STATEMENTS["allocate_job_id"], channel_id)
    state = JobState.QUEUED if starts_at is None else JobState.WAITING
    written = orjson.dumps(payload).decode()
    row = await conn.fetchrow(
        STATEMENTS["insert_job"], channel_id, job_id, kind, state, total, now, created_by, starts_at, written
    )
    return to_job(row)


async def set_job_total(conn: Connection, job: Job, total: int) -> Job:
    """Record how much there is to do, and return the job. Raises LookupError if it does not exist."""
    return to_job(await conn.fetchrow(STATEMENTS["set_job_total"], job.channel_id, job.job_id, total))


async def job(conn: Connection, channel_id: int, job_id: int) -> Job | None:
    """Return a job, or None if there is none with this number."""
    return _to_job_or_none(await conn.fetchrow(STATEMENTS["job"], channel_id, job_id))


async def jobs_by_id(conn: Connection, channel_id: int, job_ids: Iterable[int]) -> list[Job]:
    """Return the jobs with these numbers, in any order."""
    return [to_job(row) for row in await conn.fetch(STATEMENTS["jobs_by_id"], channel_id, list(job_ids))]


async def jobs_page(
    conn: Connection, channel_id: int, kinds: Collection[JobKind], *, before: int, limit: int
) -> list[Job]:
    """Return at most `limit` jobs of these kinds with numbers below `before`, newest first."""
    return [to_job(row) for row in await conn.fetch(STATEMENTS["jobs_page"], channel_id, list(kinds), before, limit)]


async def count_unfinished_jobs(conn: Connection, channel_id: int, kind: JobKind) -> int:
    """Count the jobs of a kind that are not finished."""
    return int(await conn.fetchval(STATEMENTS["count_unfinished_jobs"], channel_id, kind))


async def unfinished_job(conn: Connection, channel_id: int, kind: JobKind) -> Job | None:
    """Return the oldest job of a kind that is not finished, None if there is none."""
    return _to_job_or_none(await conn.fetchrow(STATEMENTS["unfinished_job"], channel_id, kind))


async def unfinished_jobs(conn: Connection, now: datetime, *, limit: int) -> list[UnfinishedJob]:
    """Return at most `limit` jobs that a worker should claim at `now`, of all channels in turn."""
    return [UnfinishedJob(*row) for row in await conn.fetch(STATEMENTS["unfinished_jobs"], now, limit)]


async def claim_job(
    conn: Connection, channel_id: int, job_id: int, *, now: datetime, lease_until: datetime
) -> Job | None:
    """Claim a job until `lease_until` and return it.

    None if it is finished, paused, not due, or claimed by another worker.
    """
    return _to_job_or_none(await conn.fetchrow(STATEMENTS["claim_job"], channel_id, job_id, now, lease_until))


async def is_held(conn: Connection, job: Job) -> bool:
    """Tell whether a job is RUNNING and held by `job.claim`."""
    return bool(await conn.fetchval(STATEMENTS["job_is_held"], job.channel_id, job.job_id, job.claim))


async def renew_lease(conn: Connection, job: Job, lease_until: datetime) -> None:
    """Hold a job until `lease_until` at least, unless it was taken away from `job.claim`."""
    await conn.execute(STATEMENTS["renew_lease"], job.channel_id, job.job_id, job.claim, lease_until)


async def lock_job(conn: Connection, channel_id: int, job_id: int) -> Job | None:
    """Lock a job until the transaction ends, and return it as it is; None if there is none."""
    return _to_job_or_none(await conn.fetchrow(STATEMENTS["lock_job"], channel_id, job_id))


async def write_job(conn: Connection, wanted: Job) -> Job | None:
    """Save a job as it shall be, and return it; None if `wanted.claim` no longer holds it."""
    row = await conn.fetchrow(
        STATEMENTS["write_job"],
        wanted.channel_id,
        wanted.job_id,
        wanted.claim,
        wanted.state,
        wanted.done,
        wanted.total,
        orjson.dumps(wanted.payload).decode(),
        wanted.error,
        wanted.error_code,
        wanted.finished_at,
        wanted.resumes_at,
        wanted.expires_at,
        wanted.lease_until,
        wanted.failures,
        new_notice_id(),
    )
    return _to_job_or_none(row)


async def end_waiting(conn: Connection, channel_id: int, now: datetime) -> list[Job]:
    """Let the jobs of a channel that wait for WeChat be claimed at once, and return them."""
    return [to_job(row) for row in await conn.fetch(STATEMENTS["end_waiting"], channel_id, now)]


async def cancel_job(conn: Connection, channel_id: int, job_id: int, now: datetime) -> Job | None:
    """Cancel a job and return it; None if it was finished before."""
    row = await conn.fetchrow(STATEMENTS["cancel_job"], channel_id, job_id, now, new_notice_id())
    return _to_job_or_none(row)


async def prune_jobs(conn: Connection, channel_id: int, kinds: Collection[JobKind], before: datetime) -> None:
    """Delete jobs of these kinds that finished, and whose results expired, before an instant."""
    await conn.execute(STATEMENTS["prune_jobs"], channel_id, list(kinds), before)


def _to_job_or_none(row: asyncpg.Record | None) -> Job | None:
    return None if row is None else to_job(row)


def to_job(row: asyncpg.Record | None) -> Job:
    """Return the job that a row of its table holds. Raises LookupError for no row."""
    if row is None:
        raise LookupError("no job")
    values = {name: row[name] for name in COLUMNS}
    values |= {
        "kind": JobKind(row["kind"]),
        "state": JobState(row["state"]),
        "payload": orjson.loads(row["payload"]),
    }
    return Job(**values)
