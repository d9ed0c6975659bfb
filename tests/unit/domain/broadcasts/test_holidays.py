"""Respect the public holidays of China as far as they have been published."""

from datetime import UTC, date, datetime, timedelta

import pytest

from service.domain.broadcasts.policy.holidays import end_of_holiday, holidays_warning, is_holiday, knows_holidays


@pytest.mark.parametrize(
    ("day", "holiday"),
    [
        (date(2025, 10, 8), True),  # the last day off of eight
        (date(2025, 10, 4), True),  # a Saturday among them
        (date(2025, 9, 28), False),  # a Sunday on which people work for one of them
        (date(2025, 10, 11), False),  # a Saturday on which they do, too
        (date(2025, 10, 12), False),  # a plain Sunday
        (date(2025, 10, 9), False),
        (date(2025, 1, 28), True),  # the eve of the Spring Festival
        (date(1999, 10, 1), False),
        (date(2099, 10, 1), False),
    ],
)
def test_a_day_off_for_a_festival_is_a_holiday(day: date, holiday: bool) -> None:
    assert is_holiday(day) is holiday


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2025-09-30T15:59:59Z", "2025-09-30T15:59:59Z"),
        ("2025-09-30T16:00:00Z", "2025-10-08T16:00:00Z"),
        ("2025-10-08T15:59:59.999999Z", "2025-10-08T16:00:00Z"),
        ("2025-10-08T16:00:00Z", "2025-10-08T16:00:00Z"),
        ("2099-10-01T00:00:00Z", "2099-10-01T00:00:00Z"),
    ],
)
def test_a_holiday_ends_at_midnight_in_shanghai(at: str, ends: str) -> None:
    assert end_of_holiday(datetime.fromisoformat(at)) == datetime.fromisoformat(ends)
    assert end_of_holiday(datetime.fromisoformat(at)).tzinfo is UTC


def test_a_holiday_at_any_time_of_a_known_year_ends_on_a_day_that_is_none() -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    for hour in range(0, 365 * 24, 4):
        at = start + timedelta(hours=hour)
        local = (at + timedelta(hours=8)).date()
        while is_holiday(local):
            local += timedelta(days=1)
        wanted = max(at, datetime(local.year, local.month, local.day, tzinfo=UTC) - timedelta(hours=8))
        assert end_of_holiday(at) == wanted


def test_a_year_whose_holidays_are_not_known_is_a_warning() -> None:
    assert knows_holidays(2025)
    assert not knows_holidays(2099)
    assert holidays_warning(datetime(2025, 12, 31, 15, tzinfo=UTC)) is None
    assert holidays_warning(datetime(2099, 1, 1, tzinfo=UTC)) == (
        "The public holidays of 2099 are not known yet, so none is respected."
    )
    # By the clock of Shanghai the year is the next one.
    assert holidays_warning(datetime(2098, 12, 31, 16, tzinfo=UTC)) == holidays_warning(
        datetime(2099, 1, 1, tzinfo=UTC)
    )
