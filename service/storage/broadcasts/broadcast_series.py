"""Store when repeated broadcasts run next, and what became of their runs."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from service.entities.jobs import Job, JobState
from service.storage.change_feed import new_notice_id
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class SeriesKey(NamedTuple):
    """Name a series: a broadcast with a repeat."""

    channel_id: int
    job_id: int


class SeriesSoFar(NamedTuple):
    """Hold what became of a series, of the broadcast itself and of its runs.

    `halted` tells whether one is paused or waits for an approval, `people` how many were reached or are to be, and
    `has_run` whether there is a run for the instant that was asked about.
    """

    halted: bool
    people: int
    has_run: bool


class RunningSeries(NamedTuple):
    """Hold a series that has further runs; `repeat` is as it is stored."""

    job_id: int
    repeat: Mapping[str, Any]
    start_at: datetime
    next_run_at: datetime


async def due_series(conn: Connection, now: datetime, *, limit: int) -> list[SeriesKey]:
    """Return at most `limit` series of any channel with a run that is due, the longest due first."""
    return [SeriesKey(*row) for row in await conn.fetch(STATEMENTS["due_series"], now, limit)]


async def series_so_far(conn: Connection, series: SeriesKey, run_at: datetime) -> SeriesSoFar:
    """Return what became of a series, and whether it has a run for an instant."""
    (row,) = await conn.fetch(STATEMENTS["series_so_far"], *series, run_at)
    return SeriesSoFar(*row)


async def set_next_run(conn: Connection, channel_id: int, job_id: int, at: datetime | None) -> None:
    """Record when a series runs next, None when it does not any more; the caller holds its broadcast."""
    await conn.execute(STATEMENTS["set_next_run"], channel_id, job_id, at)


async def skip_run(conn: Connection, run: Job, reason: str, now: datetime) -> Job:
    """Cancel the job of a run that was just inserted, and return it; `reason` is for people."""
    await conn.execute(STATEMENTS["skip_run"], run.channel_id, run.job_id, now, reason, new_notice_id())
    return replace(run, state=JobState.CANCELLED, finished_at=now, error=reason)


async def lock_running_series(conn: Connection, channel_id: int) -> list[RunningSeries]:
    """Lock the series of a channel that have further runs until the transaction ends, and return them."""
    rows = await conn.fetch(STATEMENTS["lock_running_series"], channel_id)
    return [
        RunningSeries(row["job_id"], orjson.loads(row["repeat"]), row["start_at"], row["next_run_at"]) for row in rows
    ]
