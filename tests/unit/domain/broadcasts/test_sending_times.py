"""Send outside quiet hours and holidays only, and say which of them is waited for."""

from datetime import UTC, datetime, time, timedelta
from functools import cache
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.broadcasts.policy.holidays import SHANGHAI, is_holiday
from service.domain.broadcasts.policy.quiet_hours import is_quiet
from service.domain.broadcasts.policy.sending_times import earliest_start, may_send_throughout
from service.entities.broadcasts import BroadcastPolicy, QuietHours, WaitReason
from service.foundation.time_zones import load_zone
from tests.unit.domain.broadcasts.minute_walk import MINUTE, walk

NIGHT = QuietHours(time(21), time(9))
ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"])
QUIET = st.none() | st.builds(
    QuietHours, st.times().map(lambda at: time(at.hour, at.minute)), st.sampled_from([time(0, 1), time(9)])
).filter(lambda hours: hours.start != hours.end)

day_off = cache(is_holiday)


def policy(
    quiet_hours: QuietHours | None = NIGHT, *, zone: str = "Asia/Shanghai", respect_holidays: bool = True
) -> BroadcastPolicy:
    return BroadcastPolicy(
        time_zone=zone,
        quiet_hours=quiet_hours,
        respect_holidays=respect_holidays,
        per_person_per_day=None,
        rolling=None,
        approval_above=None,
        missed_start_after=timedelta(hours=1),
        duplicate_within=timedelta(days=7),
        hold_out_key=UUID(int=0),
    )


def allowed(rules: BroadcastPolicy, at: datetime) -> bool:
    holiday = rules.respect_holidays and day_off(at.astimezone(SHANGHAI).date())
    quiet = rules.quiet_hours is not None and is_quiet(rules.quiet_hours, load_zone(rules.time_zone), at)
    return not holiday and not quiet


@settings(max_examples=60, deadline=None)
@given(
    zone=ZONES,
    quiet_hours=QUIET,
    respect_holidays=st.booleans(),
    minute=st.integers(0, 12 * 24 * 60),
    length=st.integers(1, 600),
)
def test_sending_begins_with_the_first_minute_that_is_allowed(
    zone: str, quiet_hours: QuietHours | None, respect_holidays: bool, minute: int, length: int
) -> None:
    rules = policy(quiet_hours, zone=zone, respect_holidays=respect_holidays)
    at = datetime(2025, 9, 28, 23, 30, tzinfo=UTC) + minute * MINUTE

    assert earliest_start(rules, at).at == next(each for each, _ in walk(zone, at) if allowed(rules, each))
    assert may_send_throughout(rules, at, at + length * MINUTE) is all(
        allowed(rules, at + each * MINUTE) for each in range(length)
    )


@pytest.mark.parametrize(
    ("at", "starts", "waiting_for"),
    [
        ("2025-09-30T04:00:00Z", "2025-09-30T04:00:00Z", None),
        ("2025-09-30T13:00:00Z", "2025-10-09T01:00:00Z", WaitReason.QUIET_HOURS),
        ("2025-10-01T04:00:00Z", "2025-10-09T01:00:00Z", WaitReason.HOLIDAY),
        ("2025-10-08T14:00:00Z", "2025-10-09T01:00:00Z", WaitReason.HOLIDAY),
        ("2025-10-08T16:00:00Z", "2025-10-09T01:00:00Z", WaitReason.QUIET_HOURS),
    ],
)
def test_it_is_said_what_is_waited_for(at: str, starts: str, waiting_for: WaitReason | None) -> None:
    wanted = (datetime.fromisoformat(starts), waiting_for)

    assert earliest_start(policy(), datetime.fromisoformat(at)) == wanted


def test_quiet_hours_can_be_ignored_and_holidays_cannot() -> None:
    night, holiday = datetime(2025, 9, 29, 15, tzinfo=UTC), datetime(2025, 10, 1, 4, tzinfo=UTC)
    rules = policy()

    assert earliest_start(rules, night, ignore_quiet_hours=True) == (night, None)
    assert may_send_throughout(rules, night, night + timedelta(hours=1), ignore_quiet_hours=True)
    after = datetime(2025, 10, 8, 16, tzinfo=UTC)
    assert earliest_start(rules, holiday, ignore_quiet_hours=True) == (after, WaitReason.HOLIDAY)
    assert not may_send_throughout(rules, holiday, holiday + timedelta(hours=1), ignore_quiet_hours=True)


def test_what_ends_as_quiet_hours_begin_is_through_before_them() -> None:
    start = datetime(2025, 9, 29, 12, tzinfo=UTC)

    assert may_send_throughout(policy(), start, start + timedelta(hours=1))
    assert not may_send_throughout(policy(), start, start + timedelta(hours=1, microseconds=1))
    eve = datetime(2025, 9, 30, 12, tzinfo=UTC)
    assert may_send_throughout(policy(None), eve, eve + timedelta(hours=4))
    assert not may_send_throughout(policy(None), eve, eve + timedelta(hours=4, microseconds=1))
