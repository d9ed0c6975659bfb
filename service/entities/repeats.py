"""Describe how a broadcast is repeated (docs/specification.md §6.6)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time
from enum import StrEnum
from typing import Any


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


def repeat_to_json(repeat: Repeat) -> dict[str, Any]:
    """Return a repeat as the row of its broadcast holds it."""
    return {
        "every": repeat.every.value,
        "at": f"{repeat.at:%H:%M}",
        "weekday": repeat.weekday,
        "day_of_month": repeat.day_of_month,
        "until": None if repeat.until is None else repeat.until.isoformat(),
    }


def repeat_from_json(stored: Mapping[str, Any]) -> Repeat:
    """Return the repeat that the row of a broadcast holds."""
    until = stored["until"]
    return Repeat(
        every=RepeatEvery(stored["every"]),
        at=time.fromisoformat(stored["at"]),
        weekday=stored["weekday"],
        day_of_month=stored["day_of_month"],
        until=None if until is None else datetime.fromisoformat(until),
    )
