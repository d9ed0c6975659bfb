"""Set everything right in one run after hours of downtime, however many boundaries were missed.

The rule: docs/architecture/02-facts-as-maxima.md.
"""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from tests.support.clock import START, FrozenClock
from tests.support.database_state import changes_of, check_consistency, tags_of
from tests.support.races import StartRacingProcess, modified_statement

HOUR = timedelta(hours=1)
DOWNTIME = timedelta(hours=72)
# Ann stops being Touchable long before she is an Old user, Ben long after.
SLEPT_THROUGH = {
    UserEvent("ann", EventKind.FOLLOW, START),
    UserEvent("ben", EventKind.FOLLOW, START - 47 * HOUR),
    UserEvent("ben", EventKind.MESSAGE, START),
    UserEvent("cyd", EventKind.FOLLOW, START),
}
ONLY_THE_FIRST_BOUNDARY = modified_statement(
    "cross_boundaries",
    ("default_rules(u.facts, $5, $6, w.w, t.until)", "default_rules(u.facts, $5, $6, w.w, u.wake_at)"),
    ("next_boundary(u.facts, $5, w.w, t.until)", "next_boundary(u.facts, $5, w.w, u.wake_at)"),
)


@pytest.fixture
async def sleepers(runtime: Runtime, channel: Channel, clock: FrozenClock) -> Channel:
    """Let everybody pass both of their boundaries while no worker is up."""
    await record_events(runtime, channel, sorted(SLEPT_THROUGH, key=lambda event: event.openid))
    clock.advance(DOWNTIME)
    return channel


async def a_worker_is_back_while_cyd_writes(
    start_process: StartRacingProcess, channel: Channel, clock: FrozenClock, weakened: Mapping[str, str] | None = None
) -> UserEvent:
    writer, worker = await start_process("writer"), await start_process("worker", weakened=weakened)
    message = UserEvent("cyd", EventKind.MESSAGE, clock())
    written = writer.pause_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, [message]))
    await written.wait_reached()
    run = worker.start(run_default_tags(worker.runtime, channel))
    assert await worker.blocked(run)
    written.release()
    await asyncio.gather(event, run)
    return message


async def test_one_run_after_hours_of_downtime_changes_each_person_once(
    start_process: StartRacingProcess, runtime: Runtime, sleepers: Channel, clock: FrozenClock
) -> None:
    message = await a_worker_is_back_while_cyd_writes(start_process, sleepers, clock)

    assert await changes_of(runtime, sleepers, "ann") == [({1, 4, 5, 8}, set()), ({2, 6}, {1, 5})]
    assert await changes_of(runtime, sleepers, "ben") == [({1, 3, 5, 8}, set()), ({2, 6}, {1, 5})]
    assert await changes_of(runtime, sleepers, "cyd") == [({1, 4, 5, 8}, set()), ({2, 3}, {1, 4})]
    await check_consistency(runtime, sleepers, {*SLEPT_THROUGH, message}, clock())
    assert (await run_default_tags(runtime, sleepers)).blocks == 0


async def test_a_run_that_stops_at_the_first_boundary_misses_the_second_for_good(
    start_process: StartRacingProcess, runtime: Runtime, sleepers: Channel, clock: FrozenClock
) -> None:
    """It sets a timer at or before `evaluated_at`, where no run looks for it."""
    await a_worker_is_back_while_cyd_writes(start_process, sleepers, clock, ONLY_THE_FIRST_BOUNDARY)

    clock.advance(DOWNTIME)
    await run_default_tags(runtime, sleepers)
    assert {DefaultTagRule.NEW_USER, DefaultTagRule.UNTOUCHABLE} < await tags_of(runtime, sleepers, "ann")
    assert {DefaultTagRule.OLD_USER, DefaultTagRule.TOUCHABLE} < await tags_of(runtime, sleepers, "ben")
    assert (await verify_channel(runtime, sleepers, repair=False)).wrong_users == 2
