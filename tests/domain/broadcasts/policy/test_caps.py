"""Send nobody more than the caps allow, by calendars of many zones, also while two workers claim at once."""

import asyncio
import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from service.domain.broadcasts.policy.caps import (
    CountedMessage,
    Reservation,
    give_back,
    over_caps,
    prune_counters,
    reserve,
)
from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, bitmaps_of, ordinals_in
from service.entities.blocks import BLOCK_SIZE
from service.entities.broadcasts import BroadcastPolicy, HeldReason, MessageKind, RollingCap
from service.entities.channels import Channel
from tests.support.clock import FrozenClock
from tests.support.waiting import wait_until

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def policy(
    *, zone: str = "Asia/Shanghai", daily: int | None = None, rolling: RollingCap | None = None
) -> BroadcastPolicy:
    return BroadcastPolicy(
        time_zone=zone,
        quiet_hours=None,
        respect_holidays=False,
        per_person_per_day=daily,
        rolling=rolling,
        approval_above=None,
        missed_start_after=timedelta(hours=1),
        duplicate_within=timedelta(days=7),
        hold_out_key=UUID(int=0),
    )


def message(
    rules: BroadcastPolicy,
    at: datetime = NOON,
    kind: MessageKind = MessageKind.TEMPLATE,
    *,
    ignore_caps: bool = False,
) -> CountedMessage:
    return CountedMessage(rules, kind, at, ignore_caps)


def people_in(people: Bitmaps) -> set[int]:
    return set(ordinals_in(people))


async def claim(runtime: Runtime, channel: Channel, counted: CountedMessage, ordinals: Collection[int]) -> Reservation:
    async with runtime.pool.acquire() as conn, conn.transaction():
        return await reserve(conn, channel.channel_id, counted, bitmaps_of(ordinals))


async def refused(
    runtime: Runtime, channel: Channel, counted: CountedMessage, ordinals: Collection[int], counted_on: date
) -> None:
    async with runtime.pool.acquire() as conn, conn.transaction():
        await give_back(conn, channel.channel_id, counted.kind, bitmaps_of(ordinals), counted.at, counted_on)


async def test_a_person_gets_as_many_messages_a_day_as_the_cap_says(runtime: Runtime, channel: Channel) -> None:
    rules = policy(daily=2)
    first = await claim(runtime, channel, message(rules), {1, 2, 40_000})
    await claim(runtime, channel, message(rules), {2, 3})
    third = await claim(runtime, channel, message(rules), {1, 2, 3, 40_000})

    assert (people_in(first.people), first.over) == ({1, 2, 40_000}, {})
    assert people_in(third.people) == {1, 3, 40_000}
    assert third.over == {HeldReason.FREQUENCY_CAP: bitmaps_of({2})}
    midnight = datetime(2026, 3, 31, 16, tzinfo=UTC)
    late = await claim(runtime, channel, message(rules, midnight - timedelta(microseconds=1)), {1})
    next_day = await claim(runtime, channel, message(rules, midnight), {1})
    assert (late.people, late.counted_on) == ({}, date(2026, 3, 31))
    assert (people_in(next_day.people), next_day.counted_on) == ({1}, date(2026, 4, 1))


async def test_what_was_refused_is_given_back(runtime: Runtime, channel: Channel) -> None:
    rules = policy(daily=1)
    counted = message(rules, kind=MessageKind.MASS_TEXT)
    reservation = await claim(runtime, channel, counted, {1, 2, 3})
    await refused(runtime, channel, counted, {2, 3}, reservation.counted_on)
    await refused(runtime, channel, counted, {3}, reservation.counted_on)  # never below none

    assert people_in((await claim(runtime, channel, counted, {1, 2, 3})).people) == {2, 3}
    assert people_in((await claim(runtime, channel, counted, {1, 2, 3})).people) == set()


async def test_four_mass_messages_are_all_that_wechat_gives_anybody_in_a_month_of_shanghai(
    runtime: Runtime, channel: Channel
) -> None:
    rules = policy(zone="America/New_York")
    for _ in range(4):
        await claim(runtime, channel, message(rules, kind=MessageKind.MASS_TEXT, ignore_caps=True), {1})
    fifth = await claim(runtime, channel, message(rules, kind=MessageKind.MASS_IMAGE, ignore_caps=True), {1, 2})

    assert fifth.over == {HeldReason.MONTHLY_LIMIT: bitmaps_of({1})}
    assert people_in(fifth.people) == {2}
    assert not (await claim(runtime, channel, message(rules), {1})).over  # not by mass
    # It is April in Shanghai, and still March in New York.
    april = datetime(2026, 3, 31, 16, tzinfo=UTC)
    assert not (await claim(runtime, channel, message(rules, april, MessageKind.MASS_TEXT), {1})).over


async def test_caps_that_are_ignored_count_all_the_same(runtime: Runtime, channel: Channel) -> None:
    rules = policy(daily=1, rolling=RollingCap(messages=1, days=7))
    for _ in range(3):
        assert not (await claim(runtime, channel, message(rules, ignore_caps=True), {1})).over

    assert (await claim(runtime, channel, message(policy(daily=3)), {1})).over


async def test_a_preview_counts_nothing(runtime: Runtime, channel: Channel) -> None:
    rules = policy(daily=1)
    async with runtime.pool.acquire() as conn:
        assert await over_caps(conn, channel.channel_id, message(rules), bitmaps_of({1, 2})) == {}
        assert await over_caps(conn, channel.channel_id, message(rules), bitmaps_of({1, 2})) == {}
    await claim(runtime, channel, message(rules), {1})
    async with runtime.pool.acquire() as conn:
        found = await over_caps(conn, channel.channel_id, message(rules), bitmaps_of({1, 2}))
    assert found == {HeldReason.FREQUENCY_CAP: bitmaps_of({1})}


@pytest.mark.parametrize(
    ("rules", "second_at"),
    [
        (policy(daily=1), NOON),
        (policy(rolling=RollingCap(messages=1, days=3)), NOON),
        # The clock of one worker is behind that of the other, and it is yesterday there.
        (policy(rolling=RollingCap(messages=1, days=3)), NOON + timedelta(hours=4)),
        (policy(rolling=RollingCap(messages=1, days=3)), NOON - timedelta(hours=20)),
    ],
)
async def test_two_workers_cannot_both_take_the_last_message(
    runtime: Runtime, channel: Channel, rules: BroadcastPolicy, second_at: datetime
) -> None:
    async with runtime.pool.acquire() as first, runtime.pool.acquire() as second:
        async with first.transaction():
            one = await reserve(first, channel.channel_id, message(rules), bitmaps_of({1, 40_000}))
            held_up = asyncio.create_task(claim(runtime, channel, message(rules, second_at), {1, 2}))

            async def waits() -> bool:
                blocked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
                return bool(await second.fetchval(blocked)) or held_up.done()

            await wait_until(waits)
            assert not held_up.done()
        other = await held_up

    assert people_in(one.people) == {1, 40_000}
    assert people_in(other.people) == {2}
    assert other.over == {HeldReason.FREQUENCY_CAP: bitmaps_of({1})}


async def test_workers_that_come_from_both_sides_do_not_block_each_other(runtime: Runtime, channel: Channel) -> None:
    rules = policy(daily=1000, rolling=RollingCap(messages=1000, days=3))
    people = [1, 40_000, 70_000]
    claims = [
        claim(runtime, channel, message(rules, kind=MessageKind.MASS_TEXT, ignore_caps=bool(number % 2)), order)
        for number in range(4)
        for order in (people, people[::-1])
    ]
    reservations = await asyncio.gather(*claims)

    assert [len(people_in(each.people)) for each in reservations].count(3) == 4
    assert [each.over for each in reservations if each.over] == [{HeldReason.MONTHLY_LIMIT: bitmaps_of(people)}] * 4


@dataclass
class Oracle:
    """Remember each message as it was sent, and count them one by one."""

    sent: Counter[tuple[int, date]] = field(default_factory=Counter)
    mass: Counter[tuple[int, int, int]] = field(default_factory=Counter)

    def over(self, counted: CountedMessage, person: int) -> HeldReason | None:
        month = counted.at.astimezone(SHANGHAI)
        if counted.kind.mass and self.mass[person, month.year, month.month] >= 4:
            return HeldReason.MONTHLY_LIMIT
        today = counted.at.astimezone(ZoneInfo(counted.policy.time_zone)).date()
        daily, rolling = counted.policy.per_person_per_day, counted.policy.rolling
        if counted.ignore_caps:
            return None
        if daily is not None and self.sent[person, today] >= daily:
            return HeldReason.FREQUENCY_CAP
        if rolling is not None:
            days = [today - timedelta(days=back) for back in range(rolling.days)]
            if sum(self.sent[person, day] for day in days) >= rolling.messages:
                return HeldReason.FREQUENCY_CAP
        return None

    def count(self, counted: CountedMessage, person: int, one: int) -> None:
        month = counted.at.astimezone(SHANGHAI)
        self.sent[person, counted.at.astimezone(ZoneInfo(counted.policy.time_zone)).date()] += one
        if counted.kind.mass:
            self.mass[person, month.year, month.month] += one


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "Australia/Lord_Howe", "America/New_York", "Pacific/Apia"])
async def test_caps_hold_whom_somebody_with_a_list_would_hold(runtime: Runtime, channel: Channel, zone: str) -> None:
    chance = random.Random(zone)
    oracle, at = Oracle(), datetime(2026, 10, 20, tzinfo=UTC)
    everybody = [*range(5), *range(BLOCK_SIZE, BLOCK_SIZE + 3)]
    done: list[tuple[CountedMessage, Reservation]] = []
    for _ in range(120):
        at += timedelta(hours=chance.choice([0, 1, 5, 13]), seconds=chance.randrange(3600))
        rules = policy(
            zone=zone,
            daily=chance.choice([None, 1, 3]),
            rolling=chance.choice([None, RollingCap(5, 7), RollingCap(2, 2), RollingCap(9, 31)]),
        )
        kind = chance.choice([MessageKind.MASS_TEXT, MessageKind.CUSTOMER_SERVICE_TEXT])
        counted = message(rules, at, kind, ignore_caps=chance.random() < 0.1)
        people = set(chance.sample(everybody, chance.randrange(1, len(everybody))))
        expected = {person: oracle.over(counted, person) for person in people}
        reservation = await claim(runtime, channel, counted, people)

        assert people_in(reservation.people) == {person for person, reason in expected.items() if reason is None}
        assert {reason: people_in(over) for reason, over in reservation.over.items()} == {
            reason: {person for person in people if expected[person] is reason}
            for reason in HeldReason
            if reason in expected.values()
        }
        for person in people_in(reservation.people):
            oracle.count(counted, person, 1)
        done.append((counted, reservation))
        if chance.random() < 0.3:
            earlier, those = done.pop(chance.randrange(len(done)))
            await refused(runtime, channel, earlier, people_in(those.people), those.counted_on)
            for person in people_in(those.people):
                oracle.count(earlier, person, -1)


async def test_counters_are_kept_as_long_as_a_cap_can_look_at_them(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    rules = policy(rolling=RollingCap(messages=1, days=31))
    await claim(runtime, channel, message(rules, clock(), MessageKind.MASS_TEXT), {1})
    clock.advance(timedelta(days=30))
    await prune_counters(runtime, channel.channel_id)
    assert (await claim(runtime, channel, message(rules, clock()), {1})).over

    clock.advance(timedelta(days=4))
    await prune_counters(runtime, channel.channel_id)
    async with runtime.pool.acquire() as conn:
        days = await conn.fetch("select distinct class, day from send_count")
    # What the second claim made to lock is all there is.
    assert [(row["class"], row["day"]) for row in days] == [("ALL", date(2026, 3, 30)), ("ALL", date(2026, 3, 31))]
