"""Change the windows while events are written; in the end everybody is evaluated under the new ones.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from service.domain.default_tags.scheduled_run import apply_windows, run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Settings, Windows
from tests.support.clock import START, FrozenClock
from tests.support.database_state import check_consistency, tags_of
from tests.support.races import NO_BLOCK_LOCK, StartRacingProcess, modified_statement

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
LONGER = Windows(follow=2 * HOUR)
# Untouchable for half an hour under the old windows, Touchable for another half under the new.
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START - 1.5 * HOUR)
# Stops being Touchable a second from now, and under the new windows does not.
LATE_FOLLOW = UserEvent("ann", EventKind.FOLLOW, START + SECOND - HOUR)
STAMPED_WITH_WHATEVER_IS_NEW = modified_statement(
    "raise_evaluated_at",
    ("windows_version = $4", "windows_version = greatest($4, (select max(version) from touch_windows))"),
)


async def change_windows(runtime: Runtime, windows: Windows = LONGER) -> None:
    assert await apply_windows(replace(runtime, settings=Settings(windows=windows)))


async def an_event_commits_after_the_windows_changed(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, weakened: Mapping[str, str] | None = None
) -> None:
    """Evaluate an event under the old windows; the run that settles the block comes before the commit."""
    writer, worker = await start_process("writer"), await start_process("worker", weakened=weakened)
    evaluated = writer.pause_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.wait_reached()
    await change_windows(runtime)
    run = worker.start(run_default_tags(worker.runtime, channel))
    assert await worker.blocked(run)
    evaluated.release()
    await asyncio.gather(event, run)


async def test_an_event_from_before_the_change_is_evaluated_again(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await an_event_commits_after_the_windows_changed(start_process, runtime, channel)

    await check_consistency(runtime, channel, {FOLLOW}, clock(), LONGER)
    assert (await run_default_tags(runtime, channel)).blocks == 0


async def test_a_run_that_does_not_lock_first_leaves_it_under_the_old_windows(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    await an_event_commits_after_the_windows_changed(start_process, runtime, channel, NO_BLOCK_LOCK)

    assert (await run_default_tags(runtime, channel)).blocks == 0
    assert DefaultTagRule.UNTOUCHABLE in await tags_of(runtime, channel, "ann")
    assert (await verify_channel(runtime, channel, repair=False)).wrong_users == 1


async def the_windows_change_during_a_run(
    start_process: StartRacingProcess,
    runtime: Runtime,
    channel: Channel,
    clock: FrozenClock,
    weakened: Mapping[str, str] | None = None,
) -> None:
    """Evaluate in a run under the old windows; before it says so, the next run follows."""
    worker = await start_process("worker", weakened=weakened)
    await record_events(runtime, channel, [LATE_FOLLOW])
    clock.advance(SECOND)
    evaluated = worker.pause_before("raise_evaluated_at")
    run = worker.start(run_default_tags(worker.runtime, channel))
    await evaluated.wait_reached()
    await change_windows(runtime)
    evaluated.release()
    await run
    assert DefaultTagRule.UNTOUCHABLE in await tags_of(runtime, channel, "ann")
    await run_default_tags(runtime, channel)


async def test_a_block_is_stamped_with_the_windows_that_were_used(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await the_windows_change_during_a_run(start_process, runtime, channel, clock)

    await check_consistency(runtime, channel, {LATE_FOLLOW}, clock(), LONGER)


async def test_a_block_stamped_with_newer_windows_is_never_evaluated_under_them(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await the_windows_change_during_a_run(start_process, runtime, channel, clock, STAMPED_WITH_WHATEVER_IS_NEW)

    assert DefaultTagRule.UNTOUCHABLE in await tags_of(runtime, channel, "ann")
    assert (await verify_channel(runtime, channel, repair=False)).wrong_users == 1


async def test_two_hosts_that_settle_the_same_windows_agree(
    start_process: StartRacingProcess, runtime: Runtime
) -> None:
    hosts = [await start_process(f"host-{number}", settings=Settings(windows=LONGER)) for number in range(4)]

    await asyncio.gather(*(apply_windows(host.runtime) for host in hosts))

    newest = await runtime.pool.fetchval("select follow from touch_windows order by version desc limit 1")
    assert newest == LONGER.follow
    assert not any(await asyncio.gather(*(apply_windows(host.runtime) for host in hosts)))


async def test_windows_that_change_all_the_time_leave_everybody_right(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    people = [f"o{number}" for number in range(12)]
    happened: set[UserEvent] = set()
    hosts = [await start_process(f"host-{number}") for number in range(2)]
    for hours in (2, 1, 3, 4):
        windows = Windows(follow=hours * HOUR, scan=(5 - hours) * HOUR, new_user=(hours + 1) * HOUR)
        async with asyncio.TaskGroup() as group:
            for number, host in enumerate(hosts):
                group.create_task(run_default_tags(host.runtime, channel))
                for kind in (EventKind.FOLLOW, EventKind.SCAN):
                    at = clock() - (number + 1) * timedelta(minutes=45)
                    events = [UserEvent(openid, kind, at) for openid in people[number::2]]
                    happened |= set(events)
                    group.create_task(record_events(host.runtime, channel, events))
            group.create_task(change_windows(runtime, windows))
        clock.advance(timedelta(minutes=35))
    await run_default_tags(hosts[0].runtime, channel)

    assert (await verify_channel(runtime, channel, repair=False)).clean
    await check_consistency(runtime, channel, happened, clock(), windows)
