"""Repeat broadcasts: one run at each time, to whoever is new, with every run that is skipped said."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.broadcasts.policy.repeats import runs_after
from service.domain.broadcasts.policy.stored import PolicyChange, change_policy, default_policy
from service.domain.broadcasts.series import due_runs, first_run, start_due_runs
from service.domain.runtime import ActingInstallation, Runtime
from service.entities.broadcasts import Broadcast, MessageKind
from service.entities.channels import Channel
from service.entities.errors import BadInputError
from service.entities.jobs import Job, JobState
from service.entities.repeats import Repeat, RepeatEvery, repeat_to_json
from service.foundation.time_zones import load_zone
from service.storage import jobs
from service.storage.broadcasts import broadcasts
from tests.support.broadcasts import add_broadcast, freeze
from tests.support.clock import START, FrozenClock
from tests.support.runtime import admin

SHANGHAI = load_zone("Asia/Shanghai")
DAILY = Repeat(RepeatEvery.DAY, time(9))  # 01:00 UTC
FIRST_RUN = datetime(2026, 3, 2, 1, tzinfo=UTC)
DAY = timedelta(days=1)


async def add_series(
    runtime: Runtime, channel: Channel, *, repeat: Repeat = DAILY, state: JobState = JobState.DONE, **given: Any
) -> Broadcast:
    async with runtime.pool.acquire() as conn, conn.transaction():
        next_run_at = first_run(default_policy(), MessageKind.MASS_TEXT, repeat, START)
        return await add_broadcast(
            conn,
            channel.channel_id,
            state=state,
            repeat=repeat_to_json(repeat),
            next_run_at=next_run_at,
            created_by="creator of the series",
            **given,
        )


async def runs_of(runtime: Runtime, series: Broadcast) -> list[tuple[Broadcast, Job]]:
    select = "select job_id from broadcast where channel_id = $1 and repeat_of = $2 order by job_id"
    async with runtime.pool.acquire() as conn:
        ids = [row["job_id"] for row in await conn.fetch(select, series.channel_id, series.job_id)]
        found = await broadcasts.broadcasts_by_id(conn, series.channel_id, ids)
        jobs_by_id = {job.job_id: job for job in await jobs.jobs_by_id(conn, series.channel_id, ids)}
    return [(found[job_id], jobs_by_id[job_id]) for job_id in ids]


async def next_run_at(runtime: Runtime, series: Broadcast) -> datetime | None:
    async with runtime.pool.acquire() as conn:
        found = await broadcasts.broadcast(conn, series.channel_id, series.job_id)
    assert found is not None
    return found.next_run_at


async def test_a_run_is_a_broadcast_of_its_own_that_starts_at_its_time(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    series = await add_series(runtime, channel, ignore_caps=True, hold_out_percent=10, once_only="spring")
    clock.advance(FIRST_RUN - START - timedelta(seconds=1))
    assert await start_due_runs(runtime) == 0

    clock.advance(timedelta(seconds=1))
    assert await start_due_runs(runtime) == 1
    assert await start_due_runs(runtime) == 0
    ((run, job),) = await runs_of(runtime, series)
    assert (job.state, job.created_by, job.payload) == (JobState.QUEUED, "creator of the series", {"stage": "START"})
    assert run == replace(
        series,
        job_id=job.job_id,
        token=run.token,
        idempotency_key=None,
        request_hash=None,
        start_at=FIRST_RUN,
        repeat=None,
        repeat_of=series.job_id,
        run_at=FIRST_RUN,
        next_run_at=None,
    )
    assert run.token != series.token
    assert await next_run_at(runtime, series) == FIRST_RUN + DAY


async def test_a_series_ends_with_its_last_run(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    series = await add_series(runtime, channel, repeat=replace(DAILY, until=FIRST_RUN + DAY))
    for at in (FIRST_RUN, FIRST_RUN + DAY, FIRST_RUN + 2 * DAY):
        clock.advance(at - clock())
        await start_due_runs(runtime)

    assert [run.run_at for run, _ in await runs_of(runtime, series)] == [FIRST_RUN, FIRST_RUN + DAY]
    assert await next_run_at(runtime, series) is None


async def test_what_was_missed_is_skipped_and_said(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    series = await add_series(runtime, channel)
    clock.advance(FIRST_RUN - START + timedelta(hours=1, seconds=1))
    assert await start_due_runs(runtime) == 0
    # The one of the 3rd is missed, too; that of the 4th is not an hour late.
    clock.advance(2 * DAY - timedelta(seconds=1))
    assert await start_due_runs(runtime) == 1

    (first, second, third) = await runs_of(runtime, series)
    assert [job.state for _, job in (first, second, third)] == [
        JobState.CANCELLED,
        JobState.CANCELLED,
        JobState.QUEUED,
    ]
    assert first[1].error == "The run on 2026-03-02 at 01:00:00 UTC was missed, and is skipped."
    assert first[1].finished_at is not None
    assert (second[0].run_at, third[0].run_at) == (FIRST_RUN + DAY, FIRST_RUN + 2 * DAY)
    assert await next_run_at(runtime, series) == FIRST_RUN + 3 * DAY


async def test_many_missed_runs_are_one_line(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    series = await add_series(runtime, channel)
    clock.advance(FIRST_RUN - START + 30 * DAY - timedelta(hours=1))
    await start_due_runs(runtime)

    ((run, job),) = await runs_of(runtime, series)
    assert (run.run_at, job.state) == (FIRST_RUN + 29 * DAY, JobState.CANCELLED)
    assert job.error == (
        "30 runs, the first on 2026-03-02 at 01:00:00 UTC and the last on 2026-03-31 at 01:00:00 UTC, were missed, and "
        "are skipped."
    )


@pytest.mark.parametrize("state", [each for each in JobState if not each.finished])
async def test_nothing_runs_past_what_is_stopped_not_agreed_or_has_not_started(
    runtime: Runtime, channel: Channel, clock: FrozenClock, state: JobState
) -> None:
    series = await add_series(runtime, channel, state=state)
    clock.advance(FIRST_RUN - START)
    assert await start_due_runs(runtime) == 0

    ((_, job),) = await runs_of(runtime, series)
    assert job.state is JobState.CANCELLED
    why = "an earlier one is paused, waits for an approval or has not started"
    assert job.error == f"The run on 2026-03-02 at 01:00:00 UTC is skipped: {why}."
    async with runtime.pool.acquire() as conn:
        await freeze(conn, series, {"FROZEN": {1}, "PLANNED": {1}})
    update = "update job set state = 'RUNNING' where channel_id = $1 and job_id = $2"
    await runtime.pool.execute(update, series.channel_id, series.job_id)
    clock.advance(DAY)
    assert await start_due_runs(runtime) == 1


@pytest.mark.parametrize("state", [JobState.CANCELLED, JobState.FAILED])
async def test_a_series_that_was_given_up_has_no_more_runs(
    runtime: Runtime, channel: Channel, clock: FrozenClock, state: JobState
) -> None:
    series = await add_series(runtime, channel, state=state)
    clock.advance(FIRST_RUN - START)

    assert await start_due_runs(runtime) == 0
    assert await runs_of(runtime, series) == []
    assert await next_run_at(runtime, series) is None


async def test_an_approval_is_for_so_many_people_over_all_runs(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    series = await add_series(runtime, channel, approved_by="another", approved_at=START, approved_for=5)
    async with runtime.pool.acquire() as conn:
        await freeze(conn, series, {"FROZEN": {1, 2, 3, 4}, "PLANNED": {1}, "TAKEN": {2, 3}}, sent=1)
        update = """update job set payload = '{"stage": "SEND", "approval_above": 3}' where job_id = $1"""
        await conn.execute(update, series.job_id)
    clock.advance(FIRST_RUN - START)
    await start_due_runs(runtime)

    ((run, job),) = await runs_of(runtime, series)
    assert (run.approved_by, run.approved_at, run.approved_for) == ("another", START, 2)
    assert job.payload == {"stage": "START", "approval_above": 3}


async def test_two_workers_make_one_run(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    series = await add_series(runtime, channel)
    clock.advance(FIRST_RUN - START)

    assert sum(await asyncio.gather(*(start_due_runs(runtime) for _ in range(4)))) == 1
    assert len(await runs_of(runtime, series)) == 1


async def test_nothing_runs_on_a_copy_of_the_database(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    series = await add_series(runtime, channel)
    clock.advance(FIRST_RUN - START)
    copy = replace(runtime, acting=ActingInstallation(public_url="https://another.example.com"))

    assert await start_due_runs(copy) == 0
    assert await next_run_at(runtime, series) == FIRST_RUN
    assert await start_due_runs(runtime) == 1


async def test_another_time_zone_moves_the_runs(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    series = await add_series(runtime, channel)
    await change_policy(runtime, admin(), channel.channel_id, PolicyChange(time_zone="America/New_York"))
    assert await next_run_at(runtime, series) == datetime(2026, 3, 1, 14, tzinfo=UTC)

    # One that is due already stays so.
    clock.advance(timedelta(hours=3))
    await change_policy(runtime, admin(), channel.channel_id, PolicyChange(time_zone="Asia/Shanghai"))
    assert await next_run_at(runtime, series) == datetime(2026, 3, 1, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "repeat", "path"),
    [
        (MessageKind.MASS_ARTICLE, DAILY, ("repeat",)),
        (MessageKind.MASS_TEXT, replace(DAILY, until=FIRST_RUN - timedelta(seconds=1)), ("repeat", "until")),
    ],
)
def test_what_cannot_be_repeated_is_refused(kind: MessageKind, repeat: Repeat, path: tuple[str, ...]) -> None:
    with pytest.raises(BadInputError) as refused:
        first_run(default_policy(), kind, repeat, START)

    assert [field.path for field in refused.value.fields] == [path]


@settings(max_examples=100, deadline=None)
@given(
    repeat=st.sampled_from([DAILY, Repeat(RepeatEvery.WEEK, time(9), weekday=1)]),
    until=st.none() | st.integers(0, 30).map(lambda days: START + timedelta(days=days)),
    waits=st.lists(st.integers(0, 200), max_size=20),
    late=st.sampled_from([timedelta(), timedelta(hours=1), timedelta(days=2), timedelta(days=9999)]),
)
def test_every_run_is_made_or_missed_once_however_often_somebody_looks(
    repeat: Repeat, until: datetime | None, waits: list[int], late: timedelta
) -> None:
    repeat = replace(repeat, until=until)
    policy = replace(default_policy(), missed_start_after=late)
    coming: datetime | None = next(runs_after(repeat, SHANGHAI, START), None)
    now, seen = START, list[datetime]()
    for wait in waits:
        now += timedelta(hours=wait)
        if coming is None or coming > now:
            continue
        due = due_runs(policy, repeat, coming, now)
        seen += [*due.missed, *([due.run_at] if due.run_at else [])]
        assert due.run_at is None or now - due.run_at <= max(late, timedelta(minutes=1))
        coming = due.next_run_at
    every = [at for at in _runs_until(repeat, now) if coming is None or at < coming]

    assert seen == every
    assert all(earlier < later for earlier, later in pairwise(seen))


def _runs_until(repeat: Repeat, end: datetime) -> list[datetime]:
    found = []
    for at in runs_after(repeat, SHANGHAI, START):
        if at > end:
            break
        found.append(at)
    return found
