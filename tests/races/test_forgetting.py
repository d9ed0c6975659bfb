"""Forget somebody while news of them comes in."""

import asyncio
from datetime import timedelta

from service.domain.events.recorder import record_events
from service.domain.privacy.forgetting import forget_openid, forget_unfollowed
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import facts_by_openid, miscounted
from tests.support.races import StartRacingProcess, modified_statement

DAY = timedelta(days=1)
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START)
UNFOLLOW = UserEvent("ann", EventKind.UNFOLLOW, START + timedelta(seconds=1))
# Says nothing of people who are not there any more.
NOBODY_IS_MISSED = modified_statement(
    "merge_facts",
    (
        "where not exists (select from channel_user u where",
        "where false and not exists (select from channel_user u where",
    ),
)


async def comes_back_meanwhile(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess, weakened: bool
) -> dict[str, object]:
    """Let Ann's new follow find her old ordinal; forget her; then write the follow."""
    await record_events(runtime, channel, [FOLLOW, UNFOLLOW])
    clock.advance(31 * DAY)
    writer = await start_process("writer", weakened=NOBODY_IS_MISSED if weakened else {})
    stop = writer.pause_before("lock_heads")
    again = writer.start(record_events(writer.runtime, channel, [UserEvent("ann", EventKind.FOLLOW, clock())]))
    await stop.wait_reached()
    assert await forget_unfollowed(runtime, channel.channel_id) == 1
    stop.release()
    await again
    return dict(await facts_by_openid(runtime, channel))


async def test_who_comes_back_while_they_are_forgotten_is_there_again(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    facts = await comes_back_meanwhile(runtime, channel, clock, start_process, weakened=False)

    assert facts["ann"].followed_at == clock()  # type: ignore[attr-defined]
    assert (await verify_channel(runtime, channel, repair=False)).clean


async def test_without_a_word_about_the_missing_they_would_be_lost(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    assert await comes_back_meanwhile(runtime, channel, clock, start_process, weakened=True) == {}


async def test_a_late_repeat_that_raced_with_forgetting_does_not_bring_them_back(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    await record_events(runtime, channel, [FOLLOW, UNFOLLOW])
    clock.advance(31 * DAY)
    writer = await start_process("writer")
    # It knows neither that ann was forgotten nor who she is.
    stop = writer.pause_before("ordinals_of")
    repeat = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await stop.wait_reached()
    await forget_unfollowed(runtime, channel.channel_id)
    stop.release()
    await repeat

    assert await facts_by_openid(runtime, channel) == {}


async def test_who_writes_just_before_they_are_forgotten_stays(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    await record_events(runtime, channel, [FOLLOW, UNFOLLOW])
    clock.advance(31 * DAY)
    keeper, writer = await start_process("keeper"), await start_process("writer")
    stop = writer.pause_before("flip_members")
    again = writer.start(record_events(writer.runtime, channel, [UserEvent("ann", EventKind.FOLLOW, clock())]))
    await stop.wait_reached()
    forgetting = keeper.start(forget_unfollowed(keeper.runtime, channel.channel_id))
    assert await keeper.blocked(forgetting)
    stop.release()
    await again

    assert await forgetting == 0
    assert (await facts_by_openid(runtime, channel))["ann"].followed_at == clock()


async def test_events_and_forgetting_of_many_at_once_end_right(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    hosts = [await start_process(f"host {number}") for number in range(3)]
    people = [f"person-{number}" for number in range(8)]

    async def lives(number: int) -> None:
        for turn in range(6):
            at = START + timedelta(seconds=turn)
            events = [UserEvent(each, EventKind.FOLLOW, at, ad_ids=("1",)) for each in people[number:]]
            await record_events(hosts[number].runtime, channel, events)

    async def forgets(number: int) -> None:
        for each in people:
            await forget_openid(hosts[number].runtime, channel.channel_id, each)

    await asyncio.gather(*(lives(number) for number in range(3)), forgets(0), forgets(1))
    assert await miscounted(runtime, channel) == []
    assert (await verify_channel(runtime, channel, repair=False)).clean
    known = len(await facts_by_openid(runtime, channel))
    assert await runtime.pool.fetchval("select user_count from channel_state") == known
    orphans = "select count(*) from user_ad a where not exists (select from channel_user u where u.ordinal = a.ordinal)"
    assert await runtime.pool.fetchval(orphans) == 0
