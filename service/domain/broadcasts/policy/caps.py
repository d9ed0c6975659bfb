"""Count what people are sent, and hold back whoever has had enough (docs/specification.md §6.6).

Whoever is reserved for counts at once, in the transaction of the claim, so two workers cannot both take the last
message that a person may get; a reservation for a message that was not sent is given back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import reduce
from typing import Final, TypeAlias

from service.domain.broadcasts.policy.bit_counts import (
    NOTHING_COUNTED,
    Planes,
    add_one,
    at_least,
    changed_planes,
    take_one,
    total,
)
from service.domain.broadcasts.policy.holidays import SHANGHAI
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, without
from service.entities.broadcasts import BroadcastPolicy, HeldReason, MessageKind, RollingCap
from service.foundation.time_zones import load_zone, local_time
from service.storage.broadcasts import send_counts
from service.storage.broadcasts.send_counts import CountClass, CounterKey, PlaneKey
from service.storage.database.pool import Connection

Counters: TypeAlias = Mapping[CountClass, Mapping[int, Mapping[date, Planes]]]
"""Counters as read, `{class: {block: {day: planes}}}`."""

# WeChat gives a follower of a service account no more mass messages than that in a calendar month.
MAX_MASS_MESSAGES_PER_MONTH: Final = 4
# The lowest digits of the limit are 0, so those of a count do not matter.
PLANES_BELOW_LIMIT: Final = 2
MAX_ROLLING_DAYS: Final = 31
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CountedMessage:
    """Hold what decides how a message counts: the policy, its kind, the instant of the claim, and whether caps do."""

    policy: BroadcastPolicy
    kind: MessageKind
    at: datetime
    ignore_caps: bool = False

    @property
    def day(self) -> date:
        """Return the day of the calendar on which it counts, in the policy's zone."""
        return local_time(load_zone(self.policy.time_zone), self.at).date()

    @property
    def rolling(self) -> RollingCap | None:
        """Return the cap over several days, None where there is none to heed."""
        return None if self.ignore_caps else self.policy.rolling

    @property
    def capped(self) -> bool:
        """Tell whether a cap is to be heeded, beside the month's limit."""
        return not self.ignore_caps and (self.policy.per_person_per_day is not None or self.policy.rolling is not None)


@dataclass(frozen=True, slots=True)
class Reservation:
    """Hold who was counted for a message, on which day, and who was not, by reason."""

    people: dict[int, int]
    over: dict[HeldReason, dict[int, int]]
    counted_on: date


async def reserve(conn: Connection, channel_id: int, message: CountedMessage, people: Bitmaps) -> Reservation:
    """Count a message for each of these people but those who had enough, who are returned by reason instead.

    The month's limit of mass messages is WeChat's, so it is never ignored. The caller's transaction holds the counters
    from here on, locked in ascending order.
    """
    keys = _keys(message.kind, message.day, message.at, people)
    if message.rolling is not None:
        # The clock of another worker may still show yesterday, and what it counts there is in today's sum.
        keys += [CounterKey(CountClass.ALL, message.day - DAY, block) for block in people]
    await send_counts.lock_counters(conn, channel_id, keys)
    counters = await _counters(conn, channel_id, message, people)
    over = _over(counters, message, people)
    fitting = reduce(without, over.values(), dict(people))
    await _change(conn, channel_id, counters, _keys(message.kind, message.day, message.at, fitting), fitting, add_one)
    return Reservation(fitting, over, message.day)


async def over_caps(
    conn: Connection, channel_id: int, message: CountedMessage, people: Bitmaps
) -> dict[HeldReason, dict[int, int]]:
    """Return who of these people could not be reserved for now, by reason; nothing is locked or counted."""
    counters = await _counters(conn, channel_id, message, people, only_heeded=True)
    return _over(counters, message, people)


async def give_back(
    conn: Connection, channel_id: int, kind: MessageKind, people: Bitmaps, claimed_at: datetime, counted_on: date
) -> None:
    """Take back what was counted for a message that these people certainly did not get.

    `claimed_at` is the instant of the claim and `counted_on` the day of its reservation.
    """
    keys = _keys(kind, counted_on, claimed_at, people)
    await send_counts.lock_counters(conn, channel_id, keys)
    counters = {CountClass.ALL: await send_counts.counters_since(conn, channel_id, CountClass.ALL, counted_on, people)}
    if kind.mass:
        month = month_of(claimed_at)
        counters[CountClass.MASS] = await send_counts.counters_since(conn, channel_id, CountClass.MASS, month, people)
    await _change(conn, channel_id, counters, keys, people, take_one)


async def prune_counters(runtime: Runtime, channel_id: int) -> None:
    """Delete the counters of days that no cap looks at any more, and of past months."""
    # The calendar of a zone, or of another worker, may be a day behind.
    now = runtime.clock() - 2 * DAY
    async with runtime.pool.acquire() as conn:
        await send_counts.prune_counters(conn, channel_id, CountClass.ALL, now.date() - MAX_ROLLING_DAYS * DAY)
        await send_counts.prune_counters(conn, channel_id, CountClass.MASS, month_of(now))


def month_of(at: datetime) -> date:
    """Return the first day of the month in Shanghai, by which WeChat counts mass messages."""
    return local_time(SHANGHAI, at).date().replace(day=1)


async def _counters(
    conn: Connection, channel_id: int, message: CountedMessage, people: Bitmaps, *, only_heeded: bool = False
) -> Counters:
    """Return the counters of these people for a message, or only those by which one of them may have had enough."""
    counters: dict[CountClass, Mapping[int, Mapping[date, Planes]]] = {CountClass.ALL: {}}
    if message.capped or not only_heeded:
        days = 1 if message.rolling is None else message.rolling.days
        first = message.day - (days - 1) * DAY
        counters[CountClass.ALL] = await send_counts.counters_since(conn, channel_id, CountClass.ALL, first, people)
    if message.kind.mass:
        month = month_of(message.at)
        counters[CountClass.MASS] = await send_counts.counters_since(
            conn, channel_id, CountClass.MASS, month, people, from_plane=PLANES_BELOW_LIMIT if only_heeded else 0
        )
    return counters


def _over(counters: Counters, message: CountedMessage, people: Bitmaps) -> dict[HeldReason, dict[int, int]]:
    found: dict[HeldReason, dict[int, int]] = {HeldReason.MONTHLY_LIMIT: {}, HeldReason.FREQUENCY_CAP: {}}
    for block, those in people.items():
        monthly = those & _over_monthly_limit(counters, message, block)
        frequent = those & ~monthly & _over_frequency_caps(counters[CountClass.ALL].get(block, {}), message)
        for reason, over in ((HeldReason.MONTHLY_LIMIT, monthly), (HeldReason.FREQUENCY_CAP, frequent)):
            if over:
                found[reason][block] = over
    return {reason: over for reason, over in found.items() if over}


def _over_monthly_limit(counters: Counters, message: CountedMessage, block: int) -> int:
    if not message.kind.mass:
        return 0
    months = counters[CountClass.MASS].get(block, {})
    return at_least(months.get(month_of(message.at), NOTHING_COUNTED), MAX_MASS_MESSAGES_PER_MONTH)


def _over_frequency_caps(days: Mapping[date, Planes], message: CountedMessage) -> int:
    over = 0
    if message.policy.per_person_per_day is not None and not message.ignore_caps:
        over = at_least(days.get(message.day, NOTHING_COUNTED), message.policy.per_person_per_day)
    if message.rolling is not None:
        over |= at_least(total(days.values()), message.rolling.messages)
    return over


async def _change(
    conn: Connection,
    channel_id: int,
    counters: Counters,
    keys: Iterable[CounterKey],
    people: Bitmaps,
    change: Callable[[Planes, int], Planes],
) -> None:
    changed: dict[PlaneKey, int] = {}
    for key in keys:
        before = counters[key.count_class].get(key.block, {}).get(key.day, NOTHING_COUNTED)
        planes = changed_planes(before, change(before, people[key.block]))
        changed |= {PlaneKey(*key, number): plane for number, plane in planes.items()}
    if changed:
        await send_counts.save_planes(conn, channel_id, changed)


def _keys(kind: MessageKind, day: date, at: datetime, people: Bitmaps) -> list[CounterKey]:
    keys = [CounterKey(CountClass.ALL, day, block) for block in people]
    if kind.mass:
        keys += [CounterKey(CountClass.MASS, month_of(at), block) for block in people]
    return keys
