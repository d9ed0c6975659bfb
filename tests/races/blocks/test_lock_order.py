"""Lock blocks in ascending order, so that writers of overlapping sets wait and never deadlock.

The rule: docs/architecture/03-lock-then-difference.md.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import asyncpg

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from service.storage.blocks import heads
from tests.support.clock import START, FrozenClock
from tests.support.database_state import check_consistency, skip_ordinals
from tests.support.races import StartRacingProcess, modified_statement

BLOCKS = 3
DESCENDING = modified_statement("lock_heads", ("order by block", "order by block desc"))


def of_everybody(kind: EventKind) -> list[UserEvent]:
    """Return one event of one person in each block."""
    return [UserEvent(f"o{block}", kind, START) for block in range(BLOCKS)]


async def people_in_every_block(runtime: Runtime, channel: Channel) -> None:
    for event in of_everybody(EventKind.FOLLOW):
        await skip_ordinals(runtime, channel, int(event.openid[1:]) * BLOCK_SIZE)
        await record_events(runtime, channel, [event])


async def two_writers_of_every_block(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, weakened: Mapping[str, str] | None = None
) -> list[BaseException | None]:
    """Let both hold what they have locked first, while somebody holds the block in the middle."""
    await people_in_every_block(runtime, channel)
    first, second = await start_process("first"), await start_process("second", weakened=weakened)
    async with runtime.pool.acquire() as conn:
        async with conn.transaction():
            await heads.lock_heads(conn, channel.channel_id, [1])
            messages = first.start(record_events(first.runtime, channel, of_everybody(EventKind.MESSAGE)))
            assert await first.blocked(messages)
            scans = second.start(record_events(second.runtime, channel, of_everybody(EventKind.SCAN)[::-1]))
            assert await second.blocked(scans)
        return list(await asyncio.gather(messages, scans, return_exceptions=True))


async def test_writers_of_overlapping_blocks_wait_for_each_other(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    assert await two_writers_of_every_block(start_process, runtime, channel) == [None, None]

    happened = {*of_everybody(EventKind.FOLLOW), *of_everybody(EventKind.MESSAGE), *of_everybody(EventKind.SCAN)}
    await check_consistency(runtime, channel, happened, clock())


async def test_writers_in_opposite_order_deadlock(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    outcomes = await two_writers_of_every_block(start_process, runtime, channel, DESCENDING)

    assert [type(each) for each in outcomes if each is not None] == [asyncpg.DeadlockDetectedError]


async def test_runs_verifications_and_events_over_the_same_blocks_never_deadlock(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await people_in_every_block(runtime, channel)
    happened = {*of_everybody(EventKind.FOLLOW)}
    sides = [await start_process(f"side-{number}") for number in range(2)]
    for minute in range(4):
        clock.advance(timedelta(minutes=minute * 20))
        events = [UserEvent(each.openid, EventKind.MESSAGE, clock()) for each in of_everybody(EventKind.MESSAGE)]
        happened |= set(events)
        async with asyncio.TaskGroup() as group:
            for each in sides:
                group.create_task(record_events(each.runtime, channel, events))
                group.create_task(record_events(each.runtime, channel, events[::-1]))
                group.create_task(run_default_tags(each.runtime, channel))
                group.create_task(verify_channel(each.runtime, channel, repair=True))
    await check_consistency(runtime, channel, happened, clock())
