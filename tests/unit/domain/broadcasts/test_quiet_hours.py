"""End quiet hours at the first instant whose local time is outside, over midnight and wherever clocks change."""

from datetime import UTC, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.broadcasts.policy.quiet_hours import (
    end_of_quiet_hours,
    is_quiet,
    parse_time_of_day,
    start_of_quiet_hours,
)
from service.entities.broadcasts import QuietHours
from service.foundation.time_zones import load_zone
from tests.unit.domain.broadcasts.minute_walk import walk, zones_and_instants

TIMES = st.times().map(lambda each: each.replace(second=0, microsecond=0))


def inside(start: time, end: time, local: datetime) -> bool:
    minute, first, last = (each.hour * 60 + each.minute for each in (local, start, end))
    return (minute - first) % 1440 < (last - first) % 1440


@settings(max_examples=150, deadline=None)
@given(zone_and_instant=zones_and_instants(), bounds=st.tuples(TIMES, TIMES).filter(lambda both: both[0] != both[1]))
def test_quiet_hours_are_those_of_somebody_who_looks_at_the_clock_each_minute(
    zone_and_instant: tuple[str, datetime], bounds: tuple[time, time]
) -> None:
    zone, at = zone_and_instant
    hours, rules = QuietHours(*bounds), load_zone(zone)
    seen = walk(zone, at)

    assert is_quiet(hours, rules, at) is inside(*bounds, next(seen)[1])
    assert end_of_quiet_hours(hours, rules, at) == next(
        each for each, local in walk(zone, at) if not inside(*bounds, local)
    )
    assert start_of_quiet_hours(hours, rules, at) == next(
        each for each, local in walk(zone, at) if inside(*bounds, local)
    )


@pytest.mark.parametrize(
    ("zone", "start", "end", "at", "ends"),
    [
        ("Asia/Shanghai", "21:00", "09:00", "2026-03-01T13:00:00Z", "2026-03-02T01:00:00Z"),
        ("Asia/Shanghai", "21:00", "09:00", "2026-03-01T12:59:59Z", "2026-03-01T12:59:59Z"),
        ("Asia/Shanghai", "21:00", "09:00", "2026-03-02T00:59:59.999999Z", "2026-03-02T01:00:00Z"),
        # 02:30 does not exist: at 02:00 it is 03:00, which is outside.
        ("America/New_York", "22:00", "02:30", "2026-03-08T04:00:00Z", "2026-03-08T07:00:00Z"),
        # 01:30 comes twice: the first one ends the night, and the second hour of it begins another quiet half hour.
        ("America/New_York", "22:00", "01:30", "2026-11-01T04:00:00Z", "2026-11-01T05:30:00Z"),
        ("America/New_York", "22:00", "01:30", "2026-11-01T06:00:00Z", "2026-11-01T06:30:00Z"),
        # Half an hour is skipped.
        ("Australia/Lord_Howe", "22:00", "02:15", "2026-10-03T14:00:00Z", "2026-10-03T15:30:00Z"),
        # A day is skipped: 29 December 23:59 is followed by 31 December 00:00.
        ("Pacific/Apia", "22:00", "07:00", "2011-12-30T09:30:00Z", "2011-12-30T17:00:00Z"),
    ],
)
def test_the_end_is_the_first_instant_outside(zone: str, start: str, end: str, at: str, ends: str) -> None:
    hours = QuietHours(parse_time_of_day(start), parse_time_of_day(end))

    assert end_of_quiet_hours(hours, load_zone(zone), datetime.fromisoformat(at)) == datetime.fromisoformat(ends)


def test_the_answer_is_in_utc() -> None:
    hours, shanghai = QuietHours(time(21), time(9)), load_zone("Asia/Shanghai")
    at = datetime(2026, 3, 1, 23, tzinfo=shanghai)

    assert end_of_quiet_hours(hours, shanghai, at).tzinfo is UTC
    assert start_of_quiet_hours(hours, shanghai, at).tzinfo is UTC


@pytest.mark.parametrize(
    "text", ["24:00", "9:00", "09:60", "09:00:00", "0900", "", " 09:00", "09:00\n", "０９:00", "-1:00"]
)
def test_anything_but_hours_and_minutes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HH:MM"):
        parse_time_of_day(text)
