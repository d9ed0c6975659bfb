"""Run the default tags of one channel in two workers at once; each boundary is crossed and logged once.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
from datetime import datetime, timedelta

import pytest

from service.domain.default_tags.definitions import channel_rules, to_transitions
from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.membership import write_transitions
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.storage import default_tags as evaluation
from service.storage.blocks import heads
from tests.support.clock import START, FrozenClock
from tests.support.database_state import changes_of, check_consistency, count_of, heads_of, miscounted
from tests.support.races import StartRacingProcess

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
# After the hour they have no further boundary, so nothing but the bits of the block is written.
CROWD = {
    UserEvent(openid, kind, START - before)
    for openid in ("ann", "ben")
    for kind, before in ((EventKind.FOLLOW, 3 * DAY), (EventKind.MESSAGE, 2 * DAY - HOUR))
}


@pytest.fixture
async def crowd(runtime: Runtime, channel: Channel) -> Channel:
    """Let two people be Touchable for another hour."""
    await record_events(runtime, channel, sorted(CROWD, key=lambda event: event.at))
    return channel


async def run_that_looks_before_it_locks(runtime: Runtime, channel: Channel, seen: datetime) -> None:
    """Run the same functions of storage in the wrong order."""
    now = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        found = await evaluation.cross_boundaries(conn, channel_rules(channel), {0: evaluation.Visit(seen, now)})
        locked = await heads.lock_heads(conn, channel.channel_id, [0])
        await write_transitions(
            conn, channel.channel_id, locked, to_transitions(found), cause=ChangeCause.TIME_PASSED, now=now
        )
        await heads.raise_evaluated_at(conn, channel.channel_id, {0: now}, locked[0].windows_version)


async def test_the_second_worker_finds_nothing_left_to_do(
    start_process: StartRacingProcess, runtime: Runtime, crowd: Channel, clock: FrozenClock
) -> None:
    first, second = await start_process("first"), await start_process("second")
    clock.advance(HOUR)
    crossed = first.pause_before("advance_heads")
    one = first.start(run_default_tags(first.runtime, crowd))
    await crossed.wait_reached()
    other = second.start(run_default_tags(second.runtime, crowd))
    assert await second.blocked(other)
    crossed.release()

    assert [report.users_changed for report in await asyncio.gather(one, other)] == [2, 0]
    assert await changes_of(runtime, crowd, "ann") == [({2, 4, 5, 8}, set()), ({6}, {5})]
    await check_consistency(runtime, crowd, CROWD, clock())


async def test_a_worker_that_looks_before_it_locks_logs_and_counts_the_boundary_twice(
    start_process: StartRacingProcess, runtime: Runtime, crowd: Channel, clock: FrozenClock
) -> None:
    first, second = await start_process("first"), await start_process("second")
    clock.advance(HOUR)
    [head] = await heads_of(runtime, crowd)
    crossed = first.pause_before("advance_heads")
    one = first.start(run_default_tags(first.runtime, crowd))
    await crossed.wait_reached()
    other = second.start(run_that_looks_before_it_locks(second.runtime, crowd, head.evaluated_at))
    assert await second.blocked(other)
    crossed.release()
    await asyncio.gather(one, other)

    assert await changes_of(runtime, crowd, "ann") == [({2, 4, 5, 8}, set()), ({6}, {5}), ({6}, {5})]
    assert await count_of(runtime, crowd, DefaultTagRule.TOUCHABLE) == -2
    assert set(await miscounted(runtime, crowd)) == {(0, 5), (0, 6)}


async def test_workers_that_start_together_cross_each_boundary_once(
    start_process: StartRacingProcess, runtime: Runtime, crowd: Channel, clock: FrozenClock
) -> None:
    workers = [await start_process(f"worker-{number}") for number in range(3)]
    clock.advance(HOUR)

    reports = await asyncio.gather(*(run_default_tags(each.runtime, crowd) for each in workers for _ in range(3)))

    assert sum(report.users_changed for report in reports) == 2
    assert await changes_of(runtime, crowd, "ben") == [({2, 4, 5, 8}, set()), ({6}, {5})]
    await check_consistency(runtime, crowd, CROWD, clock())
