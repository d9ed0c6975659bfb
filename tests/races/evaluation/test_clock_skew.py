"""Evaluate a block only forward, so that hosts whose clocks are minutes apart never undo each other.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import VerifyReport, verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import changes_of, check_consistency, heads_of, replay_and_check, tags_of
from tests.support.races import StartRacingProcess, modified_statement

APART = timedelta(minutes=4)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START)
# Changes a fact, and nothing that follows from the facts.
OLD_SCAN = UserEvent("ann", EventKind.SCAN, START - HOUR)
LONG_AGO = "timestamptz '2020-01-01 00:00+00'"
BY_ITS_OWN_CLOCK = modified_statement(
    "lock_heads",
    ("version, at, evaluated_at, latest_at,", f"version, {LONG_AGO} as at, evaluated_at, {LONG_AGO} as latest_at,"),
) | modified_statement("merge_facts", ("greatest(e.now, s.default_tags_run_at)", "e.now"))
SILENTLY = modified_statement(
    "merge_facts", ("where next_boundary(m.facts, $11, m.w, b.latest_at) <= m.now", "where false")
)


async def a_lagging_host_comes_after_a_leading_one(
    start_process: StartRacingProcess,
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    weakened: Mapping[str, str] | None = None,
) -> None:
    """Cross Ann's boundary in the leading host's run, while the lagging host's event waits for it."""
    await record_events(runtime, channel, [FOLLOW])
    lagging = await start_process("lagging", clock=lambda: clock() - APART, weakened=weakened)
    leading = await start_process("leading")
    clock.now = START + HOUR
    crossed = leading.pause_before("raise_evaluated_at")
    run = leading.start(run_default_tags(leading.runtime, channel))
    await crossed.wait_reached()
    event = lagging.start(record_events(lagging.runtime, channel, [OLD_SCAN]))
    assert await lagging.blocked(event)
    crossed.release()
    await asyncio.gather(run, event)


async def test_a_lagging_host_evaluates_no_earlier_than_the_leading_one(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await a_lagging_host_comes_after_a_leading_one(start_process, runtime, channel, clock)

    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({6}, {5})]
    assert [head.at for head in await heads_of(runtime, channel)] == [START + HOUR]
    await check_consistency(runtime, channel, {FOLLOW, OLD_SCAN}, clock())


async def test_a_host_that_believes_its_own_clock_undoes_the_other(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await a_lagging_host_comes_after_a_leading_one(start_process, runtime, channel, clock, BY_ITS_OWN_CLOCK)

    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({6}, {5}), ({5}, {6})]
    [head] = await heads_of(runtime, channel)
    assert head.at == START + HOUR - APART, "the instant of the head has gone back"
    clock.advance(HOUR)
    await run_default_tags(runtime, channel)
    assert DefaultTagRule.TOUCHABLE in await tags_of(runtime, channel, "ann"), "and no run ever notices"


async def a_leading_host_changes_a_fact_and_no_bit(
    start_process: StartRacingProcess,
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    weakened: Mapping[str, str] | None = None,
) -> VerifyReport:
    """Record that Ann scanned an hour ago: just over by the leading clock, not yet by the lagging one."""
    await record_events(runtime, channel, [UserEvent("ann", EventKind.FOLLOW, START - 2 * HOUR)])
    leading = await start_process("leading", weakened=weakened)
    lagging = await start_process("lagging", clock=lambda: clock() - APART)
    clock.now = START + HOUR
    await record_events(leading.runtime, channel, [UserEvent("ann", EventKind.SCAN, START)])
    return await verify_channel(lagging.runtime, channel, repair=True)


async def test_an_evaluation_that_changed_no_bit_is_remembered(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    report = await a_leading_host_changes_a_fact_and_no_bit(start_process, runtime, channel, clock)

    assert report.clean
    assert await changes_of(runtime, channel, "ann") == [({1, 4, 6, 8}, set())]


async def test_an_evaluation_that_leaves_no_trace_is_undone(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    report = await a_leading_host_changes_a_fact_and_no_bit(start_process, runtime, channel, clock, SILENTLY)

    assert report.wrong_users == 1
    assert await changes_of(runtime, channel, "ann") == [({1, 4, 6, 8}, set()), ({5}, {6})]


async def test_hosts_apart_agree_without_flapping(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """Runs and events of both hosts at once, while everybody's boundary passes on the one and then on the other."""
    lagging, leading = await start_process("lagging", clock=lambda: clock() - APART), await start_process("leading")
    hosts = (lagging, leading)
    follows = [UserEvent(f"o{number}", EventKind.FOLLOW, START - number * timedelta(minutes=1)) for number in range(8)]
    await record_events(runtime, channel, follows)
    happened = set(follows)
    clock.now = START + timedelta(minutes=50)
    for minute in range(16):
        old = [UserEvent(each.openid, EventKind.SCAN, START - HOUR + minute * SECOND) for each in follows]
        happened |= set(old)
        async with asyncio.TaskGroup() as group:
            for host in hosts:
                group.create_task(record_events(host.runtime, channel, old))
                group.create_task(run_default_tags(host.runtime, channel))
        clock.advance(timedelta(minutes=1))

    versions = (await replay_and_check(runtime, channel))[0]
    assert sorted(versions) == list(range(1, len(versions) + 1))
    assert await instants_of(runtime, channel) == sorted(await instants_of(runtime, channel))
    for each in follows:
        assert await changes_of(runtime, channel, each.openid) == [({1, 4, 5, 8}, set()), ({6}, {5})]
    assert (await verify_channel(lagging.runtime, channel, repair=False)).clean
    await check_consistency(runtime, channel, happened, clock())


async def instants_of(runtime: Runtime, channel: Channel) -> list[datetime]:
    """Return when each version of the block says it was made, by version."""
    rows = await runtime.pool.fetch(
        "select distinct version, at from user_tag_change where channel_id = $1 order by version", channel.channel_id
    )
    return [row["at"] for row in rows]
