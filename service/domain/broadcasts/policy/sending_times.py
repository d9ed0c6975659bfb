"""Tell when a channel's policy lets broadcasts send: outside quiet hours and holidays (docs/specification.md §6.6)."""

from datetime import UTC, datetime
from typing import NamedTuple

from service.domain.broadcasts.policy.holidays import end_of_holiday, is_holiday_between
from service.domain.broadcasts.policy.quiet_hours import end_of_quiet_hours, is_quiet, start_of_quiet_hours
from service.entities.broadcasts import BroadcastPolicy, WaitReason
from service.foundation.time_zones import load_zone


class EarliestStart(NamedTuple):
    """Say when something may be sent and, where that is not at once, what it waits for first."""

    at: datetime
    waiting_for: WaitReason | None


def earliest_start(policy: BroadcastPolicy, at: datetime, *, ignore_quiet_hours: bool = False) -> EarliestStart:
    """Return the first instant from `at` on, in UTC, that is neither on a holiday nor within quiet hours.

    On a holiday HOLIDAY is waited for, also within its quiet hours.
    """
    known, waiting_for = at.astimezone(UTC), None
    while True:
        after_holiday = end_of_holiday(known) if policy.respect_holidays else known
        if after_holiday > known:
            waiting_for = waiting_for or WaitReason.HOLIDAY
        allowed = after_holiday if ignore_quiet_hours else _end_of_quiet_hours(policy, after_holiday)
        if allowed > after_holiday:
            waiting_for = waiting_for or WaitReason.QUIET_HOURS
        if allowed == known:
            return EarliestStart(known, waiting_for)
        known = allowed


def may_send_throughout(
    policy: BroadcastPolicy, start: datetime, end: datetime, *, ignore_quiet_hours: bool = False
) -> bool:
    """Tell whether every instant from `start` on until before `end` is outside holidays and quiet hours."""
    if policy.respect_holidays and is_holiday_between(start, end):
        return False
    if ignore_quiet_hours or policy.quiet_hours is None:
        return True
    zone = load_zone(policy.time_zone)
    if is_quiet(policy.quiet_hours, zone, start):
        return False
    return start_of_quiet_hours(policy.quiet_hours, zone, start) >= end


def _end_of_quiet_hours(policy: BroadcastPolicy, at: datetime) -> datetime:
    if policy.quiet_hours is None:
        return at
    return end_of_quiet_hours(policy.quiet_hours, load_zone(policy.time_zone), at)
