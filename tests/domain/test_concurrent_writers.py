"""Write a channel from several processes at once: ordinals are unique and versions have no gaps.

The rule: docs/architecture/03-lock-then-difference.md.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder
from service.domain.runtime import Runtime
from service.domain.verification.channel import VerifyReport, verify_channel
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Windows
from tests.support.clock import START, FrozenClock
from tests.support.database_state import heads_of, miscounted, replay_and_check, tags_by_openid
from tests.support.oracle import oracle_tags
from tests.support.runtime import bind, open_runtime, published_notifications


@pytest.fixture
async def processes(database_url: str, clock: FrozenClock) -> AsyncIterator[list[Runtime]]:
    """Run three processes, each with connections of its own."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(open_runtime(database_url, clock, pool_size=3)) for _ in range(3)]


async def skip_ordinals(runtime: Runtime, channel: Channel, ordinal: int) -> None:
    """Begin to count just before the end of a block; gaps are harmless."""
    await runtime.pool.execute(
        "update channel_state set next_ordinal = $2 where channel_id = $1", channel.channel_id, ordinal
    )


async def test_processes_that_race_for_the_same_new_people_give_one_ordinal_each(processes: list[Runtime]) -> None:
    channel = await bind(processes[0])
    order = random.Random(3)
    openids = [f"o{number}" for number in range(120)]
    requests = []
    for runtime in processes:
        recorder = EventRecorder(runtime)
        for _ in range(6):
            events = [UserEvent(openid, EventKind.FOLLOW, START) for openid in order.sample(openids, 40)]
            requests.append(recorder.record(channel, events))
        requests.append(recorder.record(channel, [UserEvent(openid, EventKind.MESSAGE, START) for openid in openids]))

    await asyncio.gather(*requests)

    rows = await processes[0].pool.fetch("select openid, ordinal from channel_user")
    assert Counter(row["openid"] for row in rows) == Counter(openids)
    assert sorted(row["ordinal"] for row in rows) == list(range(120))
    state = await processes[0].pool.fetchrow("select next_ordinal, user_count from channel_state")
    assert state is not None
    assert tuple(state) == (120, 120)
    await replay_and_check(processes[0], channel)


async def test_writers_of_overlapping_blocks_leave_versions_without_gaps(
    processes: list[Runtime], clock: FrozenClock
) -> None:
    """Events, scheduled runs and verifications at the same time, on two blocks."""
    channel = await bind(processes[0])
    await skip_ordinals(processes[0], channel, BLOCK_SIZE - 20)
    order = random.Random(5)
    openids = [f"o{number}" for number in range(40)]
    happened: set[UserEvent] = set()
    for _ in range(4):
        work: list[Coroutine[object, object, object]] = []
        for runtime in processes:
            for _ in range(4):
                events = [
                    UserEvent(
                        openid,
                        order.choice(tuple(EventKind)),
                        clock() - timedelta(minutes=order.randrange(120)),
                    )
                    for openid in order.sample(openids, 15)
                ]
                happened |= set(events)
                work.append(EventRecorder(runtime).record(channel, events))
            work += [run_default_tags(runtime, channel), verify_channel(runtime, channel, repair=False)]
        reports = await asyncio.gather(*work)
        assert all(report.clean for report in reports if isinstance(report, VerifyReport))
        clock.advance(timedelta(minutes=order.randrange(10, 90)))
    await run_default_tags(processes[0], channel)

    assert [head.block for head in await heads_of(processes[0], channel)] == [0, 1]
    assert await tags_by_openid(processes[1], channel) == {
        openid: oracle_tags(
            [event for event in happened if event.openid == openid], channel.bound_at, Windows(), clock(), channel.kind
        )
        for openid in {event.openid for event in happened}
    }
    assert await miscounted(processes[0], channel) == []
    await replay_and_check(processes[0], channel)


async def test_every_version_is_published_once_whoever_wrote_it(processes: list[Runtime]) -> None:
    channel = await bind(processes[0])
    await asyncio.gather(
        *(
            EventRecorder(runtime).record(channel, [UserEvent(f"o{number}", EventKind.FOLLOW, START)])
            for number, runtime in enumerate(processes * 5)
        )
    )

    published = [each.version for runtime in processes for each in published_notifications(runtime) if each.block == 0]

    [head] = await heads_of(processes[0], channel)
    assert sorted(published) == list(range(1, head.version + 1))


async def test_a_run_over_many_blocks_takes_each_once(processes: list[Runtime], clock: FrozenClock) -> None:
    """More blocks than one transaction holds, while events come in and other runs are under way."""
    channel = await bind(processes[0])
    blocks = 40
    for block in range(blocks):
        await skip_ordinals(processes[0], channel, block * BLOCK_SIZE + block)
        events = [UserEvent(f"o{block}-{number}", EventKind.FOLLOW, START) for number in range(3)]
        await EventRecorder(processes[0]).record(channel, events)
    clock.advance(timedelta(hours=1))

    unfollows = [UserEvent(f"o{block}-0", EventKind.UNFOLLOW, clock()) for block in range(0, blocks, 2)]

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(run_default_tags(runtime, channel)) for runtime in processes]
        group.create_task(EventRecorder(processes[0]).record(channel, unfollows))

    changed = sum(task.result().users_changed for task in tasks)
    assert 3 * blocks - blocks // 2 <= changed <= 3 * blocks
    tags = await tags_by_openid(processes[0], channel)
    assert all(
        (DefaultTagRule.UNTOUCHABLE in held) is not (openid.endswith("-0") and int(openid[1:-2]) % 2 == 0)
        for openid, held in tags.items()
    )
    assert (await run_default_tags(processes[0], channel)).blocks == 0
    assert (await verify_channel(processes[0], channel, repair=False)).clean
    await replay_and_check(processes[0], channel)
