"""Check how a broadcast is to be repeated, and compute when it runs (docs/specification.md §6.6)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from service.domain.broadcasts.policy.quiet_hours import parse_time_of_day
from service.entities.errors import FieldError, raise_field_errors
from service.entities.repeats import Repeat, RepeatEvery
from service.foundation.time_zones import first_instant_at, local_time

DAY: Final = timedelta(days=1)
# Later ones cannot be told in every zone.
LAST_YEAR: Final = 9998
LAST_WEEKDAY: Final = 7
LAST_DAY_OF_EVERY_MONTH: Final = 28


def parse_repeat(
    every: RepeatEvery, at: str, weekday: int | None, day_of_month: int | None, until: datetime | None
) -> Repeat:
    """Return a repeat as clients describe it.

    Raises RequestError (BAD_USER_INPUT) that names every wrong input by its path, like `("repeat", "day_of_month")`:
    `weekday` belongs to WEEK and `day_of_month` to MONTH, and neither to anything else.
    """
    errors = []
    try:
        time_of_day = parse_time_of_day(at)
    except ValueError as error:
        time_of_day = time()
        errors.append(FieldError(("repeat", "at"), "BAD_FORMAT", str(error)))
    if every is RepeatEvery.WEEK:
        errors += _out_of_range("weekday", weekday, LAST_WEEKDAY)
    elif weekday is not None:
        errors.append(FieldError(("repeat", "weekday"), "BAD_VALUE", "Only with WEEK."))
    if every is RepeatEvery.MONTH:
        errors += _out_of_range("day_of_month", day_of_month, LAST_DAY_OF_EVERY_MONTH)
    elif day_of_month is not None:
        errors.append(FieldError(("repeat", "day_of_month"), "BAD_VALUE", "Only with MONTH."))
    raise_field_errors(errors)
    return Repeat(every, time_of_day, weekday, day_of_month, until)


def runs_after(repeat: Repeat, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield the instants of the runs after an instant, ascending, in UTC; to the year 9998 when `until` is None.

    A local time that is skipped means the first one after it; of one that comes twice the first counts. A run at
    `until` is the last.
    """
    known = after.astimezone(UTC)
    if known.year > LAST_YEAR:
        return
    # Where clocks change at midnight, the run of a day may come on the next one.
    day = local_time(zone, known).date() - DAY
    while day.year <= LAST_YEAR:
        if is_due_on(repeat, day):
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


def is_due_on(repeat: Repeat, day: date) -> bool:
    """Tell whether there is a run on a local day."""
    if repeat.every is RepeatEvery.WEEK:
        return day.isoweekday() == repeat.weekday
    return repeat.every is RepeatEvery.DAY or day.day == repeat.day_of_month


def _out_of_range(name: str, value: int | None, last: int) -> list[FieldError]:
    if value is not None and 1 <= value <= last:
        return []
    return [FieldError(("repeat", name), "OUT_OF_RANGE", f"From 1 to {last}.")]
