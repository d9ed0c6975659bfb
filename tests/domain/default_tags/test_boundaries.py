"""Evaluate each rule in the last second before its boundary, and on the boundary.

The rule: docs/specification.md §4.1.
"""

from datetime import datetime, timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Windows
from service.storage.users import users_of_robot
from tests.support.clock import FrozenClock
from tests.support.database_state import tags_by_openid
from tests.support.oracle import oracle_tags
from tests.support.runtime import bind

NEW, OLD, OPENED, NOT_OPENED, TOUCHABLE, UNTOUCHABLE, ADVERTISING, NON_ADVERTISING = DefaultTagRule
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
NOTHING = timedelta(0)


class Ann:
    """Play one person on one channel; times are relative to the binding."""

    def __init__(self, runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
        self.runtime = runtime
        self.channel = channel
        self.clock = clock
        self.happened: list[UserEvent] = []

    async def does(self, kind: EventKind, at: timedelta = NOTHING, *, from_ad: bool = False) -> None:
        event = UserEvent("ann", kind, self.channel.bound_at + at, from_ad=from_ad)
        self.clock.now = max(self.clock.now, event.at)
        recorded = await EventRecorder(self.runtime).record(self.channel, [event])
        assert recorded.accepted == 1
        self.happened.append(event)

    async def tags(self, at: timedelta) -> set[DefaultTagRule]:
        """Return her tags after a run at that time, checked against the oracle on the way."""
        self.clock.now = self.channel.bound_at + at
        await run_default_tags(self.runtime, self.channel)
        tags = (await tags_by_openid(self.runtime, self.channel))["ann"]
        bound_at, kind = self.channel.bound_at, self.channel.kind
        assert tags == oracle_tags(self.happened, bound_at, Windows(), self.clock.now, kind)
        return tags

    async def touchable_until(self) -> datetime | None:
        async with self.runtime.pool.acquire() as conn:
            found = await users_of_robot(conn, self.channel.robot_id, self.channel.channel_id, ["ann"])
        assert found
        return found[0].touchable_until


@pytest.fixture
async def ann(runtime: Runtime, channel: Channel, clock: FrozenClock) -> Ann:
    return Ann(runtime, channel, clock)


@pytest.fixture
async def ann_on_a_mini_program(runtime: Runtime, clock: FrozenClock) -> Ann:
    return Ann(runtime, await bind(runtime, kind=ChannelKind.MINI_PROGRAM), clock)


@pytest.mark.parametrize(
    ("kind", "hours"),
    [
        (EventKind.FOLLOW, 1),
        (EventKind.MENU_CLICK, 1),
        (EventKind.SCAN, 1),
        (EventKind.MESSAGE, 48),
        (EventKind.PAYMENT, 48),
    ],
)
async def test_somebody_is_touchable_for_a_while_and_not_a_second_longer(ann: Ann, kind: EventKind, hours: int) -> None:
    await ann.does(EventKind.FOLLOW, -100 * HOUR)
    await ann.does(kind)

    assert await ann.touchable_until() == ann.channel.bound_at + hours * HOUR
    assert TOUCHABLE in await ann.tags(hours * HOUR - SECOND)
    assert UNTOUCHABLE in await ann.tags(hours * HOUR)


async def test_the_latest_end_counts_not_the_latest_event(ann: Ann) -> None:
    await ann.does(EventKind.MESSAGE, -40 * HOUR)
    await ann.does(EventKind.MENU_CLICK)

    assert TOUCHABLE in await ann.tags(8 * HOUR - SECOND)
    assert UNTOUCHABLE in await ann.tags(8 * HOUR)


async def test_a_follow_from_before_the_binding_counts(ann: Ann) -> None:
    """Bound at 17:00, followed at 16:30: Touchable until 17:30."""
    await ann.does(EventKind.FOLLOW, -30 * MINUTE)

    assert TOUCHABLE in await ann.tags(30 * MINUTE - SECOND)
    assert UNTOUCHABLE in await ann.tags(30 * MINUTE)


async def test_new_for_less_than_48_hours_whenever_the_channel_was_bound(ann: Ann) -> None:
    await ann.does(EventKind.FOLLOW, -47 * HOUR)

    assert NEW in await ann.tags(HOUR - SECOND)
    assert OLD in await ann.tags(HOUR)


async def test_following_again_makes_new_again(ann: Ann) -> None:
    await ann.does(EventKind.FOLLOW, -100 * HOUR)
    assert OLD in await ann.tags(NOTHING)
    await ann.does(EventKind.UNFOLLOW, HOUR)
    assert await ann.tags(HOUR) == set()
    await ann.does(EventKind.FOLLOW, 2 * HOUR)
    assert NEW in await ann.tags(2 * HOUR)


async def test_on_a_tie_following_wins(ann: Ann) -> None:
    await ann.does(EventKind.FOLLOW)
    await ann.does(EventKind.UNFOLLOW)
    assert NEW in await ann.tags(NOTHING)


async def test_somebody_who_unfollowed_a_second_later_has_no_tags(ann: Ann) -> None:
    await ann.does(EventKind.FOLLOW)
    await ann.does(EventKind.MESSAGE)
    await ann.does(EventKind.UNFOLLOW, SECOND)
    assert await ann.tags(SECOND) == set()


@pytest.mark.parametrize("kind", [EventKind.MESSAGE, EventKind.MENU_CLICK, EventKind.SCAN])
async def test_acts_that_only_followers_can_do_imply_following(ann: Ann, kind: EventKind) -> None:
    await ann.does(kind, HOUR)
    assert {OLD, TOUCHABLE, NON_ADVERTISING} < await ann.tags(HOUR)
    await ann.does(EventKind.UNFOLLOW, HOUR + SECOND)
    assert await ann.tags(HOUR + SECOND) == set()
    await ann.does(kind, HOUR + SECOND)
    assert {OLD, TOUCHABLE, NON_ADVERTISING} < await ann.tags(HOUR + SECOND)


async def test_a_payment_alone_is_no_following(ann: Ann) -> None:
    await ann.does(EventKind.PAYMENT)
    assert await ann.tags(NOTHING) == set()
    await ann.does(EventKind.FOLLOW, -100 * HOUR)
    assert await ann.tags(2 * HOUR) == {OLD, NOT_OPENED, TOUCHABLE, NON_ADVERTISING}


async def test_a_message_in_the_second_of_the_binding_opens(ann: Ann) -> None:
    await ann.does(EventKind.MESSAGE, -SECOND)
    assert NOT_OPENED in await ann.tags(NOTHING)
    await ann.does(EventKind.MESSAGE)
    assert OPENED in await ann.tags(NOTHING)


async def test_only_a_message_opens(ann: Ann) -> None:
    for kind in (EventKind.FOLLOW, EventKind.MENU_CLICK, EventKind.SCAN, EventKind.PAYMENT):
        await ann.does(kind)
    assert NOT_OPENED in await ann.tags(NOTHING)


async def test_an_ad_before_the_binding_does_not_count(ann: Ann) -> None:
    await ann.does(EventKind.FOLLOW, -SECOND, from_ad=True)
    assert NON_ADVERTISING in await ann.tags(NOTHING)
    await ann.does(EventKind.FOLLOW, NOTHING, from_ad=True)
    assert ADVERTISING in await ann.tags(NOTHING)


async def test_advertising_stays_after_following_again_without_an_ad(ann: Ann) -> None:
    await ann.does(EventKind.FOLLOW, SECOND, from_ad=True)
    await ann.does(EventKind.UNFOLLOW, HOUR)
    await ann.does(EventKind.FOLLOW, 2 * HOUR)
    assert ADVERTISING in await ann.tags(2 * HOUR)


async def test_a_binding_within_a_second_counts_from_its_beginning(runtime: Runtime, clock: FrozenClock) -> None:
    """WeChat's times are whole seconds: a message in the second of the binding is not before it."""
    clock.advance(timedelta(milliseconds=700))
    ann = Ann(runtime, await bind(runtime), clock)
    assert ann.channel.bound_at == clock.now.replace(microsecond=0)
    await ann.does(EventKind.MESSAGE)
    assert OPENED in await ann.tags(SECOND)


@pytest.mark.parametrize(
    ("kind", "hours"),
    [(EventKind.MENU_CLICK, 1), (EventKind.SCAN, 1), (EventKind.MESSAGE, 48), (EventKind.PAYMENT, 48)],
)
async def test_a_mini_program_has_opening_and_touchability_of_whoever_interacted(
    ann_on_a_mini_program: Ann, kind: EventKind, hours: int
) -> None:
    ann = ann_on_a_mini_program
    await ann.does(kind)
    opening = OPENED if kind is EventKind.MESSAGE else NOT_OPENED

    assert await ann.tags(hours * HOUR - SECOND) == {opening, TOUCHABLE}
    assert await ann.tags(hours * HOUR) == {opening, UNTOUCHABLE}
