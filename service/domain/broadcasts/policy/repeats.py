"""Compute when a repeated broadcast runs: each day, week or month at a local time (docs/specification.md §6.6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from zoneinfo import ZoneInfo

from service.foundation.time_zones import first_instant_at, local_time

DAY: Final = timedelta(days=1)


class RepeatEvery(StrEnum):
    """Name how often a broadcast is repeated."""

    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


@dataclass(frozen=True, slots=True)
class Repeat:
    """Hold when a broadcast is repeated: at `at` by the clock of the policy's zone, at `until` for the last time.

    `weekday` is 1 (Monday) to 7, with WEEK only; `day_of_month` 1 to 28, with MONTH only.
    """

    every: RepeatEvery
    at: time
    weekday: int | None = None
    day_of_month: int | None = None
    until: datetime | None = None

    def is_due_on(self, day: date) -> bool:
        """Tell whether there is a run on a local day."""
        if self.every is RepeatEvery.WEEK:
            return day.isoweekday() == self.weekday
        return self.every is RepeatEvery.DAY or day.day == self.day_of_month


def runs_after(repeat: Repeat, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield the instants of the runs after an instant, ascending, in UTC; without end when `until` is None.

    A local time that is skipped means the first one after it; of one that comes twice the first counts. A run at
    `until` is the last.
    """
    known = after.astimezone(UTC)
    # Where clocks change at midnight, the run of a day may come on the next one.
    day = local_time(zone, known).date() - DAY
    while True:
        if repeat.is_due_on(day):
            run = first_instant_at(zone, datetime.combine(day, repeat.at))
            if repeat.until is not None and run > repeat.until:
                return
            if run > known:
                known = run
                yield run
        day += DAY


def next_run(repeat: Repeat, zone: ZoneInfo, after: datetime) -> datetime | None:
    """Return the instant of the first run after an instant, in UTC; None when there is none any more."""
    return next(runs_after(repeat, zone, after), None)
