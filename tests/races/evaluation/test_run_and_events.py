"""Cross the boundary of an event that is evaluated before it and committed after the run looked.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from service.domain.default_tags.scheduled_run import RunReport, run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.storage.channels import channel_state
from service.storage.database.statements import STATEMENTS
from tests.support.clock import START, FrozenClock
from tests.support.database_state import changes_of, check_consistency, tags_of
from tests.support.races import NO_BLOCK_LOCK, StartRacingProcess, modified_statement

SECOND = timedelta(seconds=1)
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START + SECOND - timedelta(hours=1))
TOUCHABLE, UNTOUCHABLE = DefaultTagRule.TOUCHABLE, DefaultTagRule.UNTOUCHABLE
LOOKS_AT_WHAT_IS_COMMITTED = modified_statement("unlocked_blocks", (" for share skip locked", ""))


async def an_event_commits_after_the_run_looked(
    start_process: StartRacingProcess, channel: Channel, clock: FrozenClock, weakened: Mapping[str, str] | None = None
) -> tuple[bool, RunReport]:
    """Record the follow at the last second Ann is Touchable; the run of the next second comes before the commit."""
    writer, worker = await start_process("writer"), await start_process("worker", weakened=weakened)
    evaluated = writer.pause_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.wait_reached()
    clock.advance(SECOND)
    run = worker.start(run_default_tags(worker.runtime, channel))
    waited = await worker.blocked(run)
    evaluated.release()
    await event
    return waited, await run


async def test_the_run_waits_for_what_is_being_written(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    waited, report = await an_event_commits_after_the_run_looked(start_process, channel, clock)

    assert (waited, report.blocks, report.users_changed) == (True, 1, 1)
    await check_consistency(runtime, channel, {FOLLOW}, clock())
    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({6}, {5})]


async def test_a_run_that_looks_only_at_what_is_committed_passes_the_event_by(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    waited, report = await an_event_commits_after_the_run_looked(
        start_process, channel, clock, LOOKS_AT_WHAT_IS_COMMITTED
    )

    assert (waited, report.blocks) == (False, 0)
    async with runtime.pool.acquire() as conn:
        state = await channel_state(conn, channel.channel_id)
    assert state.default_tags_as_of == clock(), "it says that every boundary up to here was crossed"
    assert TOUCHABLE in await tags_of(runtime, channel, "ann")


async def test_a_run_that_does_not_lock_first_leaves_the_event_wrong_for_good(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """It raises `evaluated_at` past a timer that it could not see."""
    await an_event_commits_after_the_run_looked(start_process, channel, clock, NO_BLOCK_LOCK)

    clock.advance(timedelta(hours=1))
    assert (await run_default_tags(runtime, channel)).blocks == 0
    assert TOUCHABLE in await tags_of(runtime, channel, "ann")
    assert (await verify_channel(runtime, channel, repair=False)).wrong_users == 1


async def test_what_commits_between_the_two_looks_is_visited(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """First who is writing, then who is due: whoever is no longer one is the other by then."""
    writer, worker = await start_process("writer"), await start_process("worker")
    evaluated, looked = writer.pause_before("advance_heads"), worker.pause_before("due_blocks")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.wait_reached()
    clock.advance(SECOND)
    run = worker.start(run_default_tags(worker.runtime, channel))
    await looked.wait_reached()
    evaluated.release()
    await event
    looked.release()

    assert (await run).blocks == 1
    await check_consistency(runtime, channel, {FOLLOW}, clock())


async def test_looking_for_who_is_due_first_misses_what_commits_in_between(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    writer = await start_process("writer")
    evaluated = writer.pause_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.wait_reached()
    clock.advance(SECOND)
    async with runtime.pool.acquire() as conn:
        due = await conn.fetch(STATEMENTS["due_blocks"], channel.channel_id, clock())
        evaluated.release()
        await event
        unlocked = await conn.fetch(STATEMENTS["unlocked_blocks"], channel.channel_id)

    assert due == []
    assert [row["block"] for row in unlocked] == [0], "neither due nor being written"
    assert TOUCHABLE in await tags_of(runtime, channel, "ann")


async def test_an_event_that_waited_for_the_run_is_evaluated_after_the_boundary(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """The other order: the event comes while the run holds the block; a second process follows the same rule."""
    await record_events(runtime, channel, [FOLLOW])
    writer, worker = await start_process("writer"), await start_process("worker")
    scan = UserEvent("ann", EventKind.SCAN, START - timedelta(hours=2))
    clock.advance(SECOND)
    crossed = worker.pause_before("raise_evaluated_at")
    run = worker.start(run_default_tags(worker.runtime, channel))
    await crossed.wait_reached()
    event = writer.start(record_events(writer.runtime, channel, [scan]))
    assert await writer.blocked(event)
    crossed.release()
    await asyncio.gather(run, event)

    assert UNTOUCHABLE in await tags_of(runtime, channel, "ann")
    await check_consistency(runtime, channel, {FOLLOW, scan}, clock())
