"""Keep a timer at or before each person's next boundary; one that is spent or needless does no harm.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

from datetime import datetime, timedelta

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.privacy.retention import prune_channel
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import check_consistency

HOUR = timedelta(hours=1)
MESSAGE = UserEvent("ann", EventKind.MESSAGE, START)
# It arrives after the message, and Ann is a New user for one hour only.
LATE_FOLLOW = UserEvent("ann", EventKind.FOLLOW, START - 47 * HOUR)


async def timers(runtime: Runtime) -> list[datetime]:
    return [row["wake_at"] for row in await runtime.pool.fetch("select wake_at from alarm order by wake_at")]


async def armed(runtime: Runtime) -> datetime | None:
    at: datetime | None = await runtime.pool.fetchval("select wake_at from channel_user where openid = 'ann'")
    return at


async def test_a_timer_that_moved_to_an_earlier_time_and_back_is_due_at_both(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [MESSAGE])
    assert await timers(runtime) == [START + 48 * HOUR]
    await record_events(runtime, channel, [LATE_FOLLOW])
    assert await timers(runtime) == [START + HOUR, START + 48 * HOUR]
    assert await armed(runtime) == START + HOUR

    for later in (HOUR, 47 * HOUR):
        clock.advance(later)
        assert (await run_default_tags(runtime, channel)).users_changed == 1
        await check_consistency(runtime, channel, {MESSAGE, LATE_FOLLOW}, clock())
        assert await armed(runtime) == START + 48 * HOUR
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_two_timers_of_one_person_that_are_due_together_count_once(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [MESSAGE])
    await record_events(runtime, channel, [LATE_FOLLOW])
    clock.advance(100 * HOUR)

    assert (await run_default_tags(runtime, channel)).users_changed == 1

    await check_consistency(runtime, channel, {MESSAGE, LATE_FOLLOW}, clock())


async def test_a_message_meanwhile_leaves_the_timer_where_it_is(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """It is due for nothing, and is set to the boundary that is true by then."""
    again = UserEvent("ann", EventKind.MESSAGE, START + HOUR)
    await record_events(runtime, channel, [MESSAGE])
    clock.advance(HOUR)
    await record_events(runtime, channel, [again])
    assert await timers(runtime) == [START + 48 * HOUR]

    clock.advance(47 * HOUR)
    assert (await run_default_tags(runtime, channel)).users_changed == 0
    assert await armed(runtime) == START + 49 * HOUR
    clock.advance(HOUR)
    assert (await run_default_tags(runtime, channel)).users_changed == 1
    await check_consistency(runtime, channel, {MESSAGE, again}, clock())


async def test_pruning_deletes_timers_that_were_due_and_no_others(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [MESSAGE])
    await record_events(runtime, channel, [LATE_FOLLOW])
    await prune_channel(runtime, channel.channel_id, clock())
    assert await timers(runtime) == [START + HOUR, START + 48 * HOUR]

    clock.advance(HOUR)
    await run_default_tags(runtime, channel)
    await prune_channel(runtime, channel.channel_id, clock())

    assert await timers(runtime) == [START + 48 * HOUR]
    assert (await verify_channel(runtime, channel, repair=False)).clean
