"""Never evaluate a block back in time, on whichever host, and miss nobody's boundary.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from tests.domain.default_tags.event_histories import History, HistoryPlayer, histories
from tests.support.clock import START, FrozenClock
from tests.support.database_state import heads_of, skip_ordinals, tags_by_openid
from tests.support.examples import compared_with_model
from tests.support.runtime import bind, patient_transaction
from tests.support.waiting import wait_until

TOUCHABLE, UNTOUCHABLE = DefaultTagRule.TOUCHABLE, DefaultTagRule.UNTOUCHABLE
WAITING_FOR_A_LOCK = (
    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
)


def lagging(runtime: Runtime, clock: FrozenClock, lag: timedelta) -> Runtime:
    """Run the service on a host whose clock is behind."""
    return replace(runtime, clock=lambda: clock.now - lag)


async def record(runtime: Runtime, channel: Channel, kind: EventKind, at: datetime) -> None:
    await EventRecorder(runtime).record(channel, [UserEvent("ann", kind, at)])


async def waiting_for_locks(runtime: Runtime, count: int) -> bool:
    return bool(await runtime.pool.fetchval(WAITING_FOR_A_LOCK) == count)


async def anns_tags(runtime: Runtime, channel: Channel) -> set[DefaultTagRule]:
    return (await tags_by_openid(runtime, channel))["ann"]


@compared_with_model(examples=60)
@given(history=histories(), lag=st.sampled_from((1, 299, 900)), in_first_block=st.integers(0, 3))
async def test_reporters_with_slow_clocks_change_nothing(
    runtime: Runtime, clock: FrozenClock, history: History, lag: int, in_first_block: int
) -> None:
    """Whoever does not fit into the first block begins another one, also by the slow clock."""
    clock.now = START
    channel = await bind(runtime)
    await skip_ordinals(runtime, channel, BLOCK_SIZE - in_first_block)
    slow = lagging(runtime, clock, timedelta(seconds=lag))

    await HistoryPlayer(runtime, clock, channel, slow, runtime, slow).play(history)


async def test_an_event_on_a_slow_host_does_not_undo_a_run(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    slow = lagging(runtime, clock, timedelta(minutes=10))
    await record(runtime, channel, EventKind.FOLLOW, clock())
    clock.advance(timedelta(hours=1))
    await run_default_tags(runtime, channel)

    await record(slow, channel, EventKind.MENU_CLICK, clock() - timedelta(hours=1, seconds=5))

    assert UNTOUCHABLE in await anns_tags(runtime, channel)


async def test_a_run_on_a_slow_host_does_not_go_back(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    slow = lagging(runtime, clock, timedelta(minutes=10))
    await record(runtime, channel, EventKind.FOLLOW, clock())
    clock.advance(timedelta(hours=1))
    await run_default_tags(runtime, channel)
    [before] = await heads_of(runtime, channel)

    await run_default_tags(slow, channel)

    assert await heads_of(runtime, channel) == [before]
    assert UNTOUCHABLE in await anns_tags(runtime, channel)


async def test_the_instants_of_versions_never_go_back(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    slow = lagging(runtime, clock, timedelta(minutes=10))
    await record(runtime, channel, EventKind.FOLLOW, clock() - timedelta(minutes=8))
    await record(slow, channel, EventKind.UNFOLLOW, clock() - timedelta(minutes=7))
    await record(slow, channel, EventKind.MESSAGE, clock() - timedelta(minutes=6))

    instants = await runtime.pool.fetch("select version, at from user_tag_change order by version")

    assert [row["at"] for row in instants] == sorted(row["at"] for row in instants)
    assert [row["version"] for row in instants] == [1, 2, 3]


async def test_later_messages_leave_the_timer_and_the_run_sets_it_again(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record(runtime, channel, EventKind.MESSAGE, clock())
    first = await runtime.pool.fetchval("select wake_at from channel_user")
    clock.advance(timedelta(hours=10))
    await record(runtime, channel, EventKind.MESSAGE, clock())
    assert await runtime.pool.fetchval("select wake_at from channel_user") == first

    clock.now = first
    assert (await run_default_tags(runtime, channel)).users_changed == 0
    assert TOUCHABLE in await anns_tags(runtime, channel)
    clock.now = first + timedelta(hours=10)
    assert (await run_default_tags(runtime, channel)).users_changed == 1
    assert UNTOUCHABLE in await anns_tags(runtime, channel)


async def test_a_timer_that_was_due_is_set_anew(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    await record(runtime, channel, EventKind.FOLLOW, clock() - timedelta(days=3))
    for _ in range(3):
        await record(runtime, channel, EventKind.MENU_CLICK, clock())
        assert TOUCHABLE in await anns_tags(runtime, channel)
        clock.advance(timedelta(hours=1))
        assert (await run_default_tags(runtime, channel)).users_changed == 1
        assert UNTOUCHABLE in await anns_tags(runtime, channel)


async def test_an_earlier_end_moves_the_timer_forward(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    """Who is not following has no boundary; a follow through a late report begins to be New in the middle."""
    await record(runtime, channel, EventKind.MESSAGE, clock())
    await record(runtime, channel, EventKind.FOLLOW, clock() - timedelta(hours=47))
    clock.advance(timedelta(hours=1))

    await run_default_tags(runtime, channel)

    assert DefaultTagRule.OLD_USER in await anns_tags(runtime, channel)


async def test_a_run_costs_nothing_where_no_boundary_has_passed(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record(runtime, channel, EventKind.FOLLOW, clock())
    clock.advance(timedelta(minutes=59, seconds=59))
    assert (await run_default_tags(runtime, channel)).blocks == 0
    clock.advance(timedelta(seconds=1))
    assert (await run_default_tags(runtime, channel)).blocks == 1
    assert (await run_default_tags(runtime, channel)).blocks == 0


async def test_a_run_waits_for_an_evaluation_from_before_the_boundary(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """A transaction that evaluated before a boundary and commits after it must not stay as it was."""
    await record(runtime, channel, EventKind.FOLLOW, clock() - timedelta(hours=2))
    async with patient_transaction(runtime) as holder:
        # The event's transaction stops here: it has evaluated, and cannot write the counts.
        await holder.execute("select from tag_member_count for update")
        event = asyncio.create_task(
            record(runtime, channel, EventKind.MENU_CLICK, clock() - timedelta(minutes=59, seconds=59))
        )
        await wait_until(lambda: waiting_for_locks(runtime, 1))
        clock.advance(timedelta(seconds=1))
        run = asyncio.create_task(run_default_tags(runtime, channel))
        await wait_until(lambda: waiting_for_locks(runtime, 2))
    await event
    assert (await run).blocks == 1
    assert UNTOUCHABLE in await anns_tags(runtime, channel)
