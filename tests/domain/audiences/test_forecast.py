"""Foresee who can still be reached, as the clock then shows when it is run forward.

The rule: docs/specification.md §6.10.
"""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.audiences.forecast import MAX_FORECAST_HOURS, TouchableAt, touchable_forecast
from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import BadInputError
from service.entities.expressions import FOLLOWERS, Expression, any_of, difference, tag
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Windows
from tests.domain.default_tags.event_histories import HOUR, PEOPLE, History, HistoryPlayer, histories
from tests.support.clock import START, FrozenClock
from tests.support.database_state import skip_ordinals, tags_by_ordinal
from tests.support.examples import compared_with_model
from tests.support.runtime import bind

NEW, OPENED, NOT_OPENED, TOUCHABLE, UNTOUCHABLE = (
    tag(rule)
    for rule in (
        DefaultTagRule.NEW_USER,
        DefaultTagRule.OPENED,
        DefaultTagRule.NOT_OPENED,
        DefaultTagRule.TOUCHABLE,
        DefaultTagRule.UNTOUCHABLE,
    )
)
AUDIENCES = (FOLLOWERS, NEW, TOUCHABLE, any_of(UNTOUCHABLE, OPENED), difference(FOLLOWERS, NEW))
LENGTHS = st.sampled_from((0, 1, HOUR // 2, HOUR, 47 * HOUR, 48 * HOUR, 72 * HOUR))
WINDOWS = st.builds(Windows, *[LENGTHS.map(lambda seconds: timedelta(seconds=seconds))] * 6)
ON_A_MINI_PROGRAM = (EventKind.MESSAGE, EventKind.MENU_CLICK, EventKind.SCAN, EventKind.PAYMENT)
# A robot has a limited number of channels, and each example has one of its own.
ROBOTS = itertools.count(2)
ONE_HOUR = timedelta(hours=1)


async def members_now(runtime: Runtime, channel: Channel, audience: Expression) -> set[int]:
    found = await tags_by_ordinal(runtime, channel)
    return {ordinal for ordinal, tag_ids in found.items() if audience.holds_for(tag_ids)}


async def run_forward(
    runtime: Runtime, clock: FrozenClock, channel: Channel, people: Sequence[Collection[int]], hours: int
) -> list[list[TouchableAt]]:
    """Let each of the next full hours come, and count at each who of some people is touchable after the run."""
    counted: list[list[TouchableAt]] = [[] for _ in people]
    at = clock.now.replace(minute=0, second=0, microsecond=0)
    for _ in range(hours):
        at += ONE_HOUR
        clock.now = max(clock.now, at)
        await run_default_tags(runtime, channel)
        touchable = await members_now(runtime, channel, TOUCHABLE)
        for each, found in zip(people, counted, strict=True):
            found.append(TouchableAt(at, len(touchable.intersection(each))))
    return counted


async def compare(runtime: Runtime, clock: FrozenClock, channel: Channel, hours: int) -> None:
    people = [await members_now(runtime, channel, each) for each in AUDIENCES]
    foreseen = [await touchable_forecast(runtime, channel, each, hours) for each in AUDIENCES]
    assert foreseen == await run_forward(runtime, clock, channel, people, hours)


@compared_with_model(examples=60)
@given(
    history=histories(),
    later=st.integers(0, 3 * HOUR),
    in_first_block=st.integers(0, 3),
    hours=st.sampled_from((1, 4, 50)),
)
async def test_the_clock_that_is_run_forward_shows_what_was_foreseen(
    runtime: Runtime, clock: FrozenClock, history: History, later: int, in_first_block: int, hours: int
) -> None:
    """No run comes before it is asked, so some have the tag Touchable longer than they are."""
    clock.now = START
    channel = await bind(runtime, robot_id=f"robot-{next(ROBOTS)}")
    await skip_ordinals(runtime, channel, BLOCK_SIZE - in_first_block)
    await HistoryPlayer(runtime, clock, channel).play(history)
    clock.advance(timedelta(seconds=later))

    await compare(runtime, clock, channel, hours)


@compared_with_model(examples=30)
@given(history=histories(ON_A_MINI_PROGRAM), hours=st.sampled_from((1, 50)))
async def test_on_a_mini_program_too(runtime: Runtime, clock: FrozenClock, history: History, hours: int) -> None:
    clock.now = START
    channel = await bind(runtime, robot_id=f"robot-{next(ROBOTS)}", kind=ChannelKind.MINI_PROGRAM)
    await HistoryPlayer(runtime, clock, channel).play(history)

    await compare(runtime, clock, channel, hours)


@compared_with_model(examples=40)
@given(history=histories(), windows=WINDOWS, hours=st.sampled_from((1, 50)))
async def test_new_windows_hold_before_the_run_that_writes_them_into_tags(
    runtime: Runtime, clock: FrozenClock, history: History, windows: Windows, hours: int
) -> None:
    clock.now = START
    channel = await bind(runtime, robot_id=f"robot-{next(ROBOTS)}")
    player = HistoryPlayer(runtime, clock, channel)
    await player.change_windows(runtime.settings.windows)
    await player.play(history)
    await player.change_windows(windows)

    await compare(runtime, clock, channel, hours)


@compared_with_model(examples=20)
@given(history=histories(), ahead=st.sampled_from((1, 240, 3 * HOUR)), hours=st.sampled_from((1, 6)))
async def test_a_host_with_a_fast_clock_hides_nobody(
    runtime: Runtime, clock: FrozenClock, history: History, ahead: int, hours: int
) -> None:
    """It evaluates people at an instant that may be after the first hours that are foreseen here."""
    clock.now = START
    channel = await bind(runtime, robot_id=f"robot-{next(ROBOTS)}")
    await HistoryPlayer(runtime, clock, channel).play(history)
    fast = replace(runtime, clock=lambda: clock.now + timedelta(seconds=ahead))
    await EventRecorder(fast).record(channel, [UserEvent(PEOPLE[0], EventKind.MENU_CLICK, clock.now)])
    people = [await members_now(runtime, channel, each) for each in AUDIENCES]

    foreseen = [await touchable_forecast(runtime, channel, each, hours) for each in AUDIENCES]

    until = {
        row["ordinal"]: row["until"]
        for row in await runtime.pool.fetch(
            "select ordinal, touchable_until(facts, w) as until from user_facts cross join current_windows "
            "where channel_id = $1 and follows(facts)",
            channel.channel_id,
        )
    }

    def reached(each: Collection[int], at: datetime) -> int:
        return sum(until[ordinal] is not None and at < until[ordinal] for ordinal in each)

    assert foreseen == [
        [TouchableAt(hour.at, reached(each, hour.at)) for hour in found]
        for each, found in zip(people, foreseen, strict=True)
    ]


async def test_whoever_stops_being_touchable_at_a_full_hour_is_not_reached_at_it(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    microsecond = timedelta(microseconds=1)
    clicked = {"until-the-hour": START, "just-longer": START + microsecond, "just-less": START - microsecond}
    events = [UserEvent(openid, EventKind.MENU_CLICK, at) for openid, at in clicked.items()]
    assert (await EventRecorder(runtime).record(channel, events)).accepted == 3

    assert await touchable_forecast(runtime, channel, FOLLOWERS, 2) == [
        TouchableAt(START + ONE_HOUR, 1),
        TouchableAt(START + 2 * ONE_HOUR, 0),
    ]


async def test_hours_are_those_of_the_clock_and_all_lie_ahead(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    async def hours_at(now: datetime, hours: int) -> list[datetime]:
        clock.now = now
        return [each.at for each in await touchable_forecast(runtime, channel, FOLLOWERS, hours)]

    one, two = START + ONE_HOUR, START + 2 * ONE_HOUR
    assert await hours_at(START, 2) == [one, two]
    assert await hours_at(START + timedelta(microseconds=1), 2) == [one, two]
    assert await hours_at(one - timedelta(microseconds=1), 1) == [one]
    assert len(await hours_at(START, MAX_FORECAST_HOURS)) == MAX_FORECAST_HOURS


@pytest.mark.parametrize("hours", [-1, 0, MAX_FORECAST_HOURS + 1])
async def test_no_other_hours_are_told(runtime: Runtime, channel: Channel, hours: int) -> None:
    with pytest.raises(BadInputError) as refused:
        await touchable_forecast(runtime, channel, FOLLOWERS, hours)
    assert [each.path for each in refused.value.fields] == [("hours",)]
