"""Repeat broadcasts: at each of a series' times a run goes to those who are new in its audience.

A series is the broadcast that was created, which sends first; each later run is a broadcast of its own. Who got an
earlier one is left out when the audience of a run is frozen.

Source: docs/specification.md §6.6.
"""

import logging
import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Final, NamedTuple

from service.domain.broadcasts.policy.repeats import next_run, runs_after
from service.domain.broadcasts.policy.stored import policy_of
from service.domain.jobs.starting import enqueue_job, publish_job_change
from service.domain.official_account.acting import ActingState, acting_state
from service.domain.runtime import Runtime
from service.entities.broadcasts import Broadcast, BroadcastPolicy, MessageKind
from service.entities.errors import BadInputError, FieldError
from service.entities.jobs import Job, JobKind, JobState
from service.entities.repeats import Repeat, repeat_from_json
from service.foundation.clock import format_time
from service.foundation.time_zones import load_zone
from service.storage import channels, jobs
from service.storage.broadcasts import broadcast_series, broadcasts
from service.storage.broadcasts.broadcast_series import SeriesKey
from service.storage.database.pool import Connection

# What is due beyond that is found a few seconds later.
MAX_SERIES_AT_ONCE: Final = 200
# What is due is looked for every few seconds, so it may be found that late without anything being wrong.
LEAST_GRACE: Final = timedelta(minutes=1)
# A series is over with these, and pauses with others.
ENDED_FOR_GOOD: Final = frozenset({JobState.CANCELLED, JobState.FAILED})
# What a job remembers of how its broadcast was made.
INHERITED: Final = ("approval_above",)
HALTED: Final = "an earlier one is paused, waits for an approval or has not started"

log = logging.getLogger(__name__)


class DueRuns(NamedTuple):
    """Hold which run of a series is to be made, if any, which ones were missed, ascending, and when the next one is."""

    run_at: datetime | None
    missed: Sequence[datetime]
    next_run_at: datetime | None


def first_run(policy: BroadcastPolicy, kind: MessageKind, repeat: Repeat, start_at: datetime) -> datetime:
    """Return when a broadcast that first sends at `start_at` is repeated for the first time.

    Raises BadInputError for an article, whose draft WeChat uses up, and where nothing is left to repeat until its end.
    """
    if kind is MessageKind.MASS_ARTICLE:
        raise BadInputError(FieldError(("repeat",), "NOT_FOR_ARTICLES", "WeChat uses up the draft of an article."))
    found = next_run(repeat, load_zone(policy.time_zone), start_at)
    if found is None:
        raise BadInputError(FieldError(("repeat", "until"), "BAD_VALUE", "There is no run until then."))
    return found


def due_runs(policy: BroadcastPolicy, repeat: Repeat, next_run_at: datetime, now: datetime) -> DueRuns:
    """Return what is due of a series by `now`, given the first run that was not made yet.

    Of several the newest one goes to everybody whom the others would have gone to, so those are missed. So is one that
    is later than the policy lets a broadcast start, and than a minute.
    """
    zone = load_zone(policy.time_zone)
    later = takewhile(lambda at: at <= now, runs_after(repeat, zone, next_run_at))
    due = [next_run_at, *later]
    after = next_run(repeat, zone, due[-1])
    if now - due[-1] > max(policy.missed_start_after, LEAST_GRACE):
        return DueRuns(None, due, after)
    return DueRuns(due[-1], due[:-1], after)


async def start_due_runs(runtime: Runtime) -> int:
    """Make the runs that are due, of all channels, and return how many were made; none where nothing may be sent."""
    if acting_state(runtime) is not ActingState.ON:
        return 0
    async with runtime.pool.acquire() as conn:
        due = await broadcast_series.due_series(conn, runtime.clock(), limit=MAX_SERIES_AT_ONCE)
    made = 0
    for series in due:
        try:
            made += await _start_due_run(runtime, series)
        except Exception:
            log.exception("the run of series %d of channel %d failed to start", series.job_id, series.channel_id)
    return made


async def _start_due_run(runtime: Runtime, series: SeriesKey) -> bool:
    """Make the run of a series that is due, and say of those that were not made; return whether one was made."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        jobs_of_runs = await _make_due_runs(conn, runtime, series)
    for job in jobs_of_runs:
        if job.state.finished:
            publish_job_change(runtime, job)
            log.warning("run %d of series %d of channel %d: %s", job.job_id, series.job_id, job.channel_id, job.error)
        else:
            enqueue_job(runtime, job)
    return any(not job.state.finished for job in jobs_of_runs)


async def _make_due_runs(conn: Connection, runtime: Runtime, key: SeriesKey) -> list[Job]:
    """Return the jobs of the runs of a series that are due; those that are skipped are finished, and say why."""
    now = runtime.clock()
    await channels.lock_channel_state(conn, key.channel_id)
    job = await jobs.lock_job(conn, *key)
    series = await broadcasts.lock_broadcast(conn, *key)
    if job is None or series is None or series.repeat is None or series.next_run_at is None or series.next_run_at > now:
        return []
    if job.state in ENDED_FOR_GOOD:
        await broadcast_series.set_next_run(conn, *key, None)
        return []
    policy = await policy_of(conn, key.channel_id)
    due = due_runs(policy, repeat_from_json(series.repeat), series.next_run_at, now)
    await broadcast_series.set_next_run(conn, *key, due.next_run_at)
    skipped = [await _skip(conn, job, series, due.missed[-1], _missed(due.missed), now)] if due.missed else []
    if due.run_at is None:
        return skipped
    so_far = await broadcast_series.series_so_far(conn, key, due.run_at)
    if so_far.has_run:
        return skipped
    if so_far.halted:
        reason = f"The run {format_time(due.run_at)} is skipped: {HALTED}."
        return [*skipped, await _skip(conn, job, series, due.run_at, reason, now)]
    left = None if series.approved_for is None else max(series.approved_for - so_far.people, 0)
    return [*skipped, await _insert_run(conn, job, replace(series, approved_for=left), due.run_at, now)]


async def _skip(conn: Connection, job: Job, series: Broadcast, run_at: datetime, reason: str, now: datetime) -> Job:
    run = await _insert_run(conn, job, series, run_at, now)
    return await broadcast_series.skip_run(conn, run, reason, now)


async def _insert_run(conn: Connection, job: Job, series: Broadcast, run_at: datetime, now: datetime) -> Job:
    """Insert a run of a series as if who made the series had made it now, and return its job."""
    run = await jobs.insert_job(
        conn,
        series.channel_id,
        JobKind.BROADCAST,
        total=None,
        payload={"stage": "START", **{key: job.payload[key] for key in INHERITED if key in job.payload}},
        created_by=job.created_by,
        now=now,
    )
    await broadcasts.insert_broadcast(
        conn,
        replace(
            series,
            job_id=run.job_id,
            token=secrets.token_hex(8),
            idempotency_key=None,
            request_hash=None,
            start_at=run_at,
            confirm_late=False,
            repeat=None,
            repeat_of=series.job_id,
            run_at=run_at,
            next_run_at=None,
            waiting_for=None,
        ),
    )
    return run


def _missed(instants: Sequence[datetime]) -> str:
    if len(instants) == 1:
        return f"The run {format_time(instants[0])} was missed, and is skipped."
    first, last = format_time(instants[0]), format_time(instants[-1])
    return f"{len(instants)} runs, the first {first} and the last {last}, were missed, and are skipped."
