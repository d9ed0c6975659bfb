"""Tell when quiet hours begin and end, by the local wall clock of a time zone (docs/specification.md §6.6)."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from service.entities.broadcasts import QuietHours
from service.foundation.time_zones import local_time, next_clock_change

DAY: Final = timedelta(days=1)
TIME_OF_DAY_PATTERN: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d", re.ASCII)


def parse_time_of_day(text: str) -> time:
    """Return the time of day that `HH:MM` means, 00:00 to 23:59. Raises ValueError for anything else."""
    if TIME_OF_DAY_PATTERN.fullmatch(text) is None:
        raise ValueError("A time of day is HH:MM, from 00:00 to 23:59.")
    return time.fromisoformat(text)


def is_quiet(hours: QuietHours, zone: ZoneInfo, at: datetime) -> bool:
    """Tell whether an instant is within the quiet hours of a zone. Those that start after their end cross midnight."""
    local = local_time(zone, at).time()
    if hours.start < hours.end:
        return hours.start <= local < hours.end
    return local >= hours.start or local < hours.end


def end_of_quiet_hours(hours: QuietHours, zone: ZoneInfo, at: datetime) -> datetime:
    """Return the first instant from `at` on, in UTC, whose local time is outside the quiet hours.

    Where the clocks are put forward over the end, it is the instant at which that happens.
    """
    known = at.astimezone(UTC)
    while is_quiet(hours, zone, known):
        ahead = known + _until_time_of_day(local_time(zone, known), hours.end)
        known = next_clock_change(zone, known, ahead) or ahead
    return known


def start_of_quiet_hours(hours: QuietHours, zone: ZoneInfo, at: datetime) -> datetime:
    """Return the first instant from `at` on, in UTC, whose local time is within the quiet hours."""
    loud = QuietHours(start=hours.end, end=hours.start)
    return end_of_quiet_hours(loud, zone, at)


def _until_time_of_day(local: datetime, wanted: time) -> timedelta:
    ahead = datetime.combine(local.date(), wanted) - local
    return ahead if ahead > timedelta() else ahead + DAY
