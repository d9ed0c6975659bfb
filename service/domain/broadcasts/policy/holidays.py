"""Know the public holidays of China (docs/specification.md §6.6), as far as they have been published.

The State Council announces those of a year at the end of the year before; the package chinesecalendar has them.
"""

from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import chinese_calendar

from service.foundation.time_zones import first_instant_at, load_zone, local_time

SHANGHAI: Final = load_zone("Asia/Shanghai")


def is_holiday(day: date) -> bool:
    """Tell whether people have a day off because of a public holiday: neither plain weekends nor make-up workdays.

    False for a day of a year whose holidays are not known.
    """
    try:
        day_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return False
    return day_off and name is not None


def knows_holidays(year: int) -> bool:
    """Tell whether the holidays of a year are known."""
    try:
        chinese_calendar.get_holiday_detail(date(year, 1, 1))
    except NotImplementedError:
        return False
    return True


def end_of_holiday(at: datetime) -> datetime:
    """Return the first instant from `at` on, in UTC, that is on no holiday in Shanghai."""
    day = local_time(SHANGHAI, at).date()
    if not is_holiday(day):
        return at.astimezone(UTC)
    while is_holiday(day):
        day += timedelta(days=1)
    return first_instant_at(SHANGHAI, datetime.combine(day, time()))


def is_holiday_between(start: datetime, end: datetime) -> bool:
    """Tell whether an instant from `start` on, until before `end`, is on a holiday in Shanghai."""
    known = start
    while known < end:
        day = local_time(SHANGHAI, known).date()
        if is_holiday(day):
            return True
        known = first_instant_at(SHANGHAI, datetime.combine(day + timedelta(days=1), time()))
    return False


def holidays_warning(at: datetime) -> str | None:
    """Return what to tell people who rely on holidays at an instant of a year whose holidays are not known."""
    year = local_time(SHANGHAI, at).year
    return None if knows_holidays(year) else f"The public holidays of {year} are not known yet, so none is respected."
