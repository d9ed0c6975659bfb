"""Store what people decide about broadcasts: that they stop, go on, may be sent, or are over."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from service.entities.broadcasts import Broadcast
from service.entities.errors import ErrorCode
from service.entities.jobs import Job, JobState
from service.storage.change_feed import new_notice_id
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.jobs import to_job


async def set_broadcast_state(conn: Connection, job: Job, state: JobState, finished_at: datetime | None = None) -> Job:
    """Put the job of a broadcast, which is locked, into a state in which no worker holds it, and return it."""
    row = await conn.fetchrow(
        STATEMENTS["set_broadcast_state"], job.channel_id, job.job_id, state, finished_at, new_notice_id()
    )
    return to_job(row)


async def end_settling(conn: Connection, channel_id: int, job_id: int, now: datetime) -> Job | None:
    """Let a broadcast be claimed at once that has nobody left to learn about, and return its job; None if it has."""
    row = await conn.fetchrow(STATEMENTS["end_settling"], channel_id, job_id, now)
    return None if row is None else to_job(row)


async def confirm_start(conn: Connection, channel_id: int, job_id: int, *, late: bool, duplicate: bool) -> None:
    """Record that a broadcast may start late, or send what was sent alike lately; what was confirmed stays so."""
    await conn.execute(STATEMENTS["confirm_start"], channel_id, job_id, late, duplicate)


async def approve_broadcast(
    conn: Connection, channel_id: int, job_id: int, subject: str, now: datetime, people: int
) -> None:
    """Record who has approved a broadcast to so many people."""
    await conn.execute(STATEMENTS["approve_broadcast"], channel_id, job_id, subject, now, people)


async def end_series(conn: Connection, channel_id: int, job_id: int) -> None:
    """Let a series have no further runs."""
    await conn.execute(STATEMENTS["end_series"], channel_id, job_id)


async def unfinished_runs(conn: Connection, channel_id: int, job_id: int) -> list[int]:
    """Return the numbers of the runs of a series that are not finished."""
    return [row["job_id"] for row in await conn.fetch(STATEMENTS["unfinished_runs"], channel_id, job_id)]


async def fail_broadcasts(conn: Connection, channel_id: int, code: ErrorCode, message: str, now: datetime) -> list[int]:
    """Fail every broadcast of a channel that is not finished, and end its series; return their numbers."""
    return await _end_broadcasts(conn, channel_id, JobState.FAILED, message, code.value, now)


async def cancel_broadcasts(conn: Connection, channel_id: int, now: datetime) -> list[int]:
    """Cancel every broadcast of a channel that is not finished, and end its series; return their numbers."""
    return await _end_broadcasts(conn, channel_id, JobState.CANCELLED, None, None, now)


async def _end_broadcasts(
    conn: Connection, channel_id: int, state: JobState, error: str | None, error_code: str | None, now: datetime
) -> list[int]:
    rows = await conn.fetch(STATEMENTS["end_broadcasts"], channel_id, state, error, error_code, now, new_notice_id())
    return sorted(row["job_id"] for row in rows)


async def pause_broadcasts(conn: Connection, channel_id: int) -> list[int]:
    """Pause every broadcast of a channel that is not finished; return their numbers."""
    return sorted(row["job_id"] for row in await conn.fetch(STATEMENTS["pause_broadcasts"], channel_id))


async def unapproved_broadcasts(conn: Connection, started_before: datetime) -> list[tuple[int, int]]:
    """Return `(channel_id, job_id)` of what nobody has approved though it was to start by an instant."""
    rows = await conn.fetch(STATEMENTS["unapproved_broadcasts"], started_before)
    return [(row["channel_id"], row["job_id"]) for row in rows]


async def audiences_not_frozen(conn: Connection, channel_id: int) -> dict[int, str]:
    """Return the audiences of what has not started and of series that go on, `{job_id: expression as it is stored}`."""
    rows = await conn.fetch(STATEMENTS["broadcasts_not_started"], channel_id)
    return {row["job_id"]: row["audience"] for row in rows}


async def channels_with_unfinished_broadcasts(conn: Connection) -> list[int]:
    """Return the ids of the channels, of all robots, of which broadcasts may go on by themselves."""
    return [row["channel_id"] for row in await conn.fetch(STATEMENTS["channels_with_unfinished_broadcasts"])]


async def change_broadcast(conn: Connection, changed: Broadcast) -> None:
    """Write what a broadcast, which is locked and has not started, is from now on; nobody has approved that."""
    await conn.execute(
        STATEMENTS["change_broadcast"],
        changed.channel_id,
        changed.job_id,
        changed.name,
        orjson.dumps(changed.message).decode(),
        changed.kind,
        changed.message_hash,
        changed.audience,
        changed.audience_text,
        changed.start_at,
        changed.hold_out_percent,
        None if changed.repeat is None else orjson.dumps(changed.repeat).decode(),
        changed.next_run_at,
        changed.confirm_duplicate,
        changed.confirm_late,
        changed.waiting_for,
        changed.changed_by,
    )


async def add_to_job_payload(conn: Connection, job: Job, more: Mapping[str, Any]) -> Job:
    """Add to what is to be done by the job of a locked broadcast, and return the job."""
    added = orjson.dumps(more).decode()
    return to_job(await conn.fetchrow(STATEMENTS["add_to_job_payload"], job.channel_id, job.job_id, added))
