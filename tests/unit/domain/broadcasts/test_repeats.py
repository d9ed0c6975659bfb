"""Run a series at its local times: each day, week or month, once wherever clocks change."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.broadcasts.policy.repeats import is_due_on, next_run, parse_repeat, runs_after
from service.entities.errors import RequestError
from service.entities.repeats import Repeat, RepeatEvery, repeat_from_json, repeat_to_json
from service.foundation.time_zones import load_zone
from tests.unit.domain.broadcasts.minute_walk import walk, zones_and_instants

DAILY = st.builds(Repeat, every=st.just(RepeatEvery.DAY), at=st.times().map(lambda at: time(at.hour, at.minute)))
WEEKLY = st.builds(
    lambda daily, weekday: replace(daily, every=RepeatEvery.WEEK, weekday=weekday), DAILY, st.integers(1, 7)
)
MONTHLY = st.builds(
    lambda daily, day: replace(daily, every=RepeatEvery.MONTH, day_of_month=day), DAILY, st.integers(1, 28)
)


def first_seen(repeat: Repeat, zone: str, after: datetime) -> datetime:
    """Return the first instant after another at which somebody at the clock sees a due time come, or be skipped."""
    latest: datetime | None = None
    for at, local in walk(zone, after - timedelta(hours=3)):
        if latest is not None and local > latest:
            days = [latest.date() + timedelta(days=each) for each in range((local.date() - latest.date()).days + 1)]
            due = [datetime.combine(day, repeat.at) for day in days if is_due_on(repeat, day)]
            if at > after and any(latest < each <= local for each in due):
                return at
        latest = local if latest is None else max(latest, local)
    raise AssertionError


@settings(max_examples=40, deadline=None)
@given(zone_and_instant=zones_and_instants(), repeat=st.one_of(DAILY, DAILY, WEEKLY))
def test_the_next_run_is_when_somebody_at_the_clock_sees_it_come(
    zone_and_instant: tuple[str, datetime], repeat: Repeat
) -> None:
    zone, after = zone_and_instant

    assert next_run(repeat, load_zone(zone), after) == first_seen(repeat, zone, after)


@settings(max_examples=40, deadline=None)
@given(zone_and_instant=zones_and_instants(), at=st.times(), days=st.integers(0, 2))
def test_the_next_run_of_a_month_is_when_somebody_at_the_clock_sees_it_come(
    zone_and_instant: tuple[str, datetime], at: time, days: int
) -> None:
    zone, after = zone_and_instant
    day = (after + timedelta(days=days)).day
    repeat = Repeat(RepeatEvery.MONTH, time(at.hour, at.minute), day_of_month=day if day <= 28 else 1)

    assert next_run(repeat, load_zone(zone), after) == first_seen(repeat, zone, after)


@settings(max_examples=100)
@given(zone_and_instant=zones_and_instants(), repeat=st.one_of(DAILY, WEEKLY, MONTHLY), count=st.integers(0, 6))
def test_until_is_the_last_run(zone_and_instant: tuple[str, datetime], repeat: Repeat, count: int) -> None:
    zone, after = load_zone(zone_and_instant[0]), zone_and_instant[1]
    runs = list(islice(runs_after(repeat, zone, after), count + 1))
    last = runs[count]

    assert runs == sorted(set(runs))
    assert list(runs_after(replace(repeat, until=last), zone, after)) == runs
    assert list(runs_after(replace(repeat, until=last - timedelta(microseconds=1)), zone, after)) == runs[:count]


@pytest.mark.parametrize(
    ("zone", "at", "after", "run"),
    [
        ("Asia/Shanghai", time(9), "2026-03-01T01:00:00Z", "2026-03-02T01:00:00Z"),
        ("Asia/Shanghai", time(9), "2026-03-01T00:59:59Z", "2026-03-01T01:00:00Z"),
        # 02:30 does not exist.
        ("America/New_York", time(2, 30), "2026-03-08T00:00:00Z", "2026-03-08T07:00:00Z"),
        # 01:30 comes twice; the second one is no run.
        ("America/New_York", time(1, 30), "2026-11-01T00:00:00Z", "2026-11-01T05:30:00Z"),
        ("America/New_York", time(1, 30), "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z"),
        # Midnight does not exist.
        ("Asia/Beirut", time(0), "2026-03-28T12:00:00Z", "2026-03-28T22:00:00Z"),
        # 30 December does not exist: its run comes when the 31st begins.
        ("Pacific/Apia", time(9), "2011-12-30T00:00:00Z", "2011-12-30T10:00:00Z"),
    ],
)
def test_a_daily_run_is_at_its_local_time(zone: str, at: time, after: str, run: str) -> None:
    repeat = Repeat(RepeatEvery.DAY, at)

    assert next_run(repeat, load_zone(zone), datetime.fromisoformat(after)) == datetime.fromisoformat(run)


@pytest.mark.parametrize("after", [datetime.max.replace(tzinfo=UTC), datetime(9998, 12, 31, 23, 59, tzinfo=UTC)])
@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Etc/GMT+12"])
def test_the_end_of_the_calendar_is_the_end_of_every_series(zone: str, after: datetime) -> None:
    assert next_run(Repeat(RepeatEvery.DAY, time(9)), load_zone(zone), after) is None


def test_a_series_whose_end_has_passed_has_no_next_run() -> None:
    repeat = Repeat(RepeatEvery.MONTH, time(9), day_of_month=28, until=datetime(2026, 3, 1, tzinfo=UTC))

    assert next_run(repeat, load_zone("Asia/Shanghai"), datetime(2026, 3, 1, tzinfo=UTC)) is None


@given(
    repeat=st.one_of(DAILY, WEEKLY, MONTHLY),
    until=st.none() | st.datetimes(timezones=st.just(UTC)),
)
def test_a_repeat_is_stored_as_it_is(repeat: Repeat, until: datetime | None) -> None:
    repeat = replace(repeat, until=until)
    at = f"{repeat.at:%H:%M}"

    assert repeat_from_json(repeat_to_json(repeat)) == repeat
    assert parse_repeat(repeat.every, at, repeat.weekday, repeat.day_of_month, until) == repeat


@pytest.mark.parametrize(
    ("every", "at", "weekday", "day_of_month", "wrong"),
    [
        (RepeatEvery.DAY, "25:00", 1, 1, ["at", "weekday", "day_of_month"]),
        (RepeatEvery.DAY, "9:00", None, None, ["at"]),
        (RepeatEvery.WEEK, "09:00", None, None, ["weekday"]),
        (RepeatEvery.WEEK, "09:00", 0, None, ["weekday"]),
        (RepeatEvery.WEEK, "09:00", 8, 1, ["weekday", "day_of_month"]),
        (RepeatEvery.MONTH, "09:00", None, 29, ["day_of_month"]),
        (RepeatEvery.MONTH, "09:00", None, None, ["day_of_month"]),
        (RepeatEvery.MONTH, "", 1, 0, ["at", "weekday", "day_of_month"]),
    ],
)
def test_every_wrong_part_of_a_repeat_is_named(
    every: RepeatEvery, at: str, weekday: int | None, day_of_month: int | None, wrong: list[str]
) -> None:
    with pytest.raises(RequestError) as refused:
        parse_repeat(every, at, weekday, day_of_month, None)

    assert [field.path for field in refused.value.fields] == [("repeat", name) for name in wrong]
