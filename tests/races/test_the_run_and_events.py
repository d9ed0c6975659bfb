"""DESIGN §2: an event evaluated before a boundary and committed after the scheduled run looked is not left behind."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

from service.domain.default_tags.scheduled_run import RunReport, run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.enums import DefaultTagRule, EventKind
from service.entities.users import UserEvent
from service.storage.channels import channel_state
from service.storage.database.statements import STATEMENTS
from tests.frozen_clock import START, FrozenClock
from tests.races.outcomes import check_everything, lines_of, tags_of
from tests.races.sides import OpenSide
from tests.races.weakened import NO_BLOCK_LOCK, rewritten

SECOND = timedelta(seconds=1)
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START + SECOND - timedelta(hours=1))
TOUCHABLE, UNTOUCHABLE = DefaultTagRule.TOUCHABLE, DefaultTagRule.UNTOUCHABLE
LOOKS_AT_WHAT_IS_COMMITTED = rewritten("unlocked_blocks", (" for share skip locked", ""))


async def an_event_commits_after_the_run_looked(
    side: OpenSide, channel: Channel, clock: FrozenClock, weakened: Mapping[str, str] | None = None
) -> tuple[bool, RunReport]:
    """Record the follow at the last second Ann is Touchable; the run of the next second comes before the commit."""
    writer, worker = await side("writer"), await side("worker", weakened=weakened)
    evaluated = writer.stop_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.reached()
    clock.advance(SECOND)
    run = worker.start(run_default_tags(worker.runtime, channel))
    waited = await worker.blocked(run)
    evaluated.let_go()
    await event
    return waited, await run


async def test_the_run_waits_for_what_is_being_written(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    waited, report = await an_event_commits_after_the_run_looked(side, channel, clock)

    assert (waited, report.blocks, report.users_changed) == (True, 1, 1)
    await check_everything(runtime, channel, {FOLLOW}, clock())
    assert await lines_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({6}, {5})]


async def test_a_run_that_looks_only_at_what_is_committed_passes_the_event_by(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    waited, report = await an_event_commits_after_the_run_looked(side, channel, clock, LOOKS_AT_WHAT_IS_COMMITTED)

    assert (waited, report.blocks) == (False, 0)
    async with runtime.pool.acquire() as conn:
        state = await channel_state(conn, channel.channel_id)
    assert state.default_tags_as_of == clock(), "it says that every boundary up to here was crossed"
    assert TOUCHABLE in await tags_of(runtime, channel, "ann")


async def test_a_run_that_does_not_lock_first_leaves_the_event_wrong_for_good(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """It raises `evaluated_at` past an alarm that it could not see."""
    await an_event_commits_after_the_run_looked(side, channel, clock, NO_BLOCK_LOCK)

    clock.advance(timedelta(hours=1))
    assert (await run_default_tags(runtime, channel)).blocks == 0
    assert TOUCHABLE in await tags_of(runtime, channel, "ann")
    assert (await verify_channel(runtime, channel, repair=False)).wrong_users == 1


async def test_what_commits_between_the_two_looks_is_visited(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """First who is writing, then who is due: whoever is no longer one is the other by then."""
    writer, worker = await side("writer"), await side("worker")
    evaluated, looked = writer.stop_before("advance_heads"), worker.stop_before("due_blocks")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.reached()
    clock.advance(SECOND)
    run = worker.start(run_default_tags(worker.runtime, channel))
    await looked.reached()
    evaluated.let_go()
    await event
    looked.let_go()

    assert (await run).blocks == 1
    await check_everything(runtime, channel, {FOLLOW}, clock())


async def test_looking_for_who_is_due_first_misses_what_commits_in_between(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    writer = await side("writer")
    evaluated = writer.stop_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.reached()
    clock.advance(SECOND)
    async with runtime.pool.acquire() as conn:
        due = await conn.fetch(STATEMENTS["due_blocks"], channel.channel_id, clock())
        evaluated.let_go()
        await event
        unlocked = await conn.fetch(STATEMENTS["unlocked_blocks"], channel.channel_id)

    assert due == []
    assert [row["block"] for row in unlocked] == [0], "neither due nor being written"
    assert TOUCHABLE in await tags_of(runtime, channel, "ann")


async def test_an_event_that_waited_for_the_run_is_evaluated_after_the_boundary(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """The other order: the event comes while the run holds the block; a second process follows the same rule."""
    await record_events(runtime, channel, [FOLLOW])
    writer, worker = await side("writer"), await side("worker")
    scan = UserEvent("ann", EventKind.SCAN, START - timedelta(hours=2))
    clock.advance(SECOND)
    crossed = worker.stop_before("raise_evaluated_at")
    run = worker.start(run_default_tags(worker.runtime, channel))
    await crossed.reached()
    event = writer.start(record_events(writer.runtime, channel, [scan]))
    assert await writer.blocked(event)
    crossed.let_go()
    await asyncio.gather(run, event)

    assert UNTOUCHABLE in await tags_of(runtime, channel, "ann")
    await check_everything(runtime, channel, {FOLLOW, scan}, clock())
