"""Compute with local times: which zones there are, when the clocks of one change, and when a local time comes.

The rules of the zones are those of the package tzdata, which is locked, so that all processes agree on them whatever
their machines have.
"""

from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final
from zoneinfo import ZoneInfo

MAX_ZONES_REMEMBERED: Final = 64
# No zone changes its clocks twice within so short a time.
PROBE: Final = timedelta(hours=1)
SECOND: Final = timedelta(seconds=1)


@cache
def zone_names() -> frozenset[str]:
    """Return the names of all zones of the IANA time zone database, like Asia/Shanghai."""
    return frozenset((files("tzdata") / "zones").read_text(encoding="ascii").split())


@lru_cache(MAX_ZONES_REMEMBERED)
def load_zone(name: str) -> ZoneInfo:
    """Return a zone by its IANA name, in the case it is written there. Raises ValueError where there is none."""
    if name not in zone_names():
        raise ValueError("There is no such time zone.")
    with (files("tzdata") / "zoneinfo").joinpath(*name.split("/")).open("rb") as rules:
        return ZoneInfo.from_file(rules, key=name)


def local_time(zone: ZoneInfo, at: datetime) -> datetime:
    """Return what the clocks of a zone show at an instant, without a zone."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def next_clock_change(zone: ZoneInfo, after: datetime, until: datetime) -> datetime | None:
    """Return the first instant at which the clocks of a zone are put forward or back: after `after`, until `until`.

    Both are included in the sense that a change at `until` counts and one at `after` does not. The instant is the
    first of the new offset, in UTC; None when there is no change.
    """
    # Changes happen at whole seconds.
    known, last = after.astimezone(UTC).replace(microsecond=0), until.astimezone(UTC).replace(microsecond=0)
    offset = _offset(zone, known)
    while known < last:
        ahead = min(known + PROBE, last)
        if _offset(zone, ahead) != offset:
            return _change_between(zone, known, ahead)
        known = ahead
    return None


def first_instant_at(zone: ZoneInfo, local: datetime) -> datetime:
    """Return the first instant, in UTC, at which the clocks of a zone show a local time or have passed it.

    Of a local time that comes twice it is the first one; of one that is skipped, the instant of the change.
    """
    at = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if local_time(zone, at) == local:
        return at
    # The offsets of before and after the gap answer instants on both of its sides.
    before = local.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return _change_between(zone, before.replace(microsecond=0), at.replace(microsecond=0))


def _offset(zone: ZoneInfo, at: datetime) -> timedelta | None:
    return at.astimezone(zone).utcoffset()


def _change_between(zone: ZoneInfo, before: datetime, after: datetime) -> datetime:
    offset = _offset(zone, before)
    low, high = 0, int((after - before) / SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(zone, before + middle * SECOND) == offset:
            low = middle
        else:
            high = middle
    return before + high * SECOND
