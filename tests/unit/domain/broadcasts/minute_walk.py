"""Look at clocks the plain way: minute by minute, with nothing but what Python answers for one instant."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final

from hypothesis import strategies as st

from service.foundation.time_zones import load_zone

MINUTE: Final = timedelta(minutes=1)
FIRST: Final = datetime(2004, 1, 1, tzinfo=UTC)
DAYS: Final = 32 * 365
ZONES: Final = (
    "Asia/Shanghai",
    "America/New_York",
    "Europe/Dublin",  # standard time in summer
    "Australia/Lord_Howe",  # half an hour of daylight saving
    "Asia/Kathmandu",
    "Pacific/Apia",  # had no 30 December 2011
    "Pacific/Chatham",
    "Asia/Beirut",  # changes at midnight
    "America/Sao_Paulo",
    "Africa/Casablanca",
    "Etc/GMT+12",
)


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """Return the days on which the clocks of a zone change."""
    rules = load_zone(zone)
    days = [FIRST + timedelta(days=day) for day in range(DAYS)]
    offsets = [rules.utcoffset(day.astimezone(rules)) for day in days]
    return tuple(day for day, before, after in zip(days, offsets, offsets[1:], strict=False) if before != after)


@st.composite
def zones_and_instants(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone and an instant, most often within two days of a change of its clocks."""
    zone = draw(st.sampled_from(ZONES))
    near = changes(zone)
    if near and draw(st.integers(0, 3)) > 0:
        number = draw(st.integers(0, len(near) - 1))
        start, days = near[number] - timedelta(days=1), 3
    else:
        start, days = FIRST, DAYS
    return zone, start + timedelta(
        seconds=draw(st.integers(0, days * 24 * 3600)), microseconds=draw(st.sampled_from([0, 1]))
    )


def walk(zone: str, at: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield `at` and all whole minutes after it, each with what the clocks show then."""
    rules = load_zone(zone)
    while True:
        yield at, at.astimezone(rules).replace(tzinfo=None, fold=0)
        at = at.replace(second=0, microsecond=0) + MINUTE
