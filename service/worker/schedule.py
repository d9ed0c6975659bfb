"""When the scheduled jobs run: a cadence fitted to the clock face, as arq's cron wants it."""

from datetime import timedelta
from typing import Final, TypedDict

MINUTE: Final = 60
HOUR: Final = 3600


class CronFields(TypedDict):
    """The hours, minutes and seconds at which a job starts; None stands for each of them."""

    hour: set[int] | None
    minute: set[int] | None
    second: set[int] | int


def cron_fields(every: timedelta) -> CronFields:
    """`every` divides a minute, an hour or a day, as the settings made sure: 30 minutes mean :00 and :30."""
    seconds = round(every.total_seconds())
    if seconds < MINUTE:
        return CronFields(hour=None, minute=None, second=set(range(0, MINUTE, seconds)))
    if seconds < HOUR:
        return CronFields(hour=None, minute=set(range(0, 60, seconds // MINUTE)), second=0)
    return CronFields(hour=set(range(0, 24, seconds // HOUR)), minute={0}, second=0)
