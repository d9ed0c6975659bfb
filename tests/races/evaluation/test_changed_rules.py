"""Change a rule while events are written (docs/architecture/02-facts-as-maxima.md).

In the end everybody is evaluated under the new rules, also by processes of the release before.
"""

import asyncio
from datetime import timedelta

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.storage.database.migrations import migrate
from tests.storage.rules_of_next_release import EQUIVALENT_WINDOWS, next_rules
from tests.support.clock import START, FrozenClock
from tests.support.database_state import check_consistency, tags_of
from tests.support.races import StartRacingProcess

HOUR = timedelta(hours=1)
# Untouchable for an hour under the old rules, Touchable for another under the new.
FOLLOW = UserEvent("ann", EventKind.FOLLOW, START - 2 * HOUR)
# After so many executions PostgreSQL keeps one plan for a statement, with the rules of that time in it.
EXECUTIONS_UNTIL_GENERIC_PLAN = 8


async def an_event_commits_after_the_rules_changed(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, database_url: str, *, announced: bool
) -> None:
    """Evaluate an event under the old rules; the run of the new release waits for its block."""
    writer, worker = await start_process("writer"), await start_process("worker")
    evaluated = writer.pause_before("advance_heads")
    event = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    await evaluated.wait_reached()
    if announced:
        await migrate(database_url, functions=next_rules())
    else:
        for file in next_rules():
            await runtime.pool.execute(file.text)
    run = worker.start(run_default_tags(worker.runtime, channel))
    assert await worker.blocked(run)
    evaluated.release()
    await asyncio.gather(event, run)


async def test_an_event_from_before_the_change_is_evaluated_again(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, database_url: str, clock: FrozenClock
) -> None:
    await an_event_commits_after_the_rules_changed(start_process, runtime, channel, database_url, announced=True)

    await check_consistency(runtime, channel, {FOLLOW}, clock(), EQUIVALENT_WINDOWS)
    assert (await run_default_tags(runtime, channel)).blocks == 0


async def test_rules_that_are_not_announced_leave_it_under_the_old_ones(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, database_url: str
) -> None:
    await an_event_commits_after_the_rules_changed(start_process, runtime, channel, database_url, announced=False)

    assert (await run_default_tags(runtime, channel)).blocks == 0
    assert DefaultTagRule.UNTOUCHABLE in await tags_of(runtime, channel, "ann")
    assert (await verify_channel(runtime, channel, repair=False)).wrong_users == 1


async def test_a_process_that_waited_for_the_block_knows_the_new_rules(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, database_url: str, clock: FrozenClock
) -> None:
    """The run has evaluated its block under the new rules, so nobody would look again."""
    writer, worker = await start_process("writer"), await start_process("worker")
    known = {UserEvent(f"o{number}", EventKind.FOLLOW, START) for number in range(EXECUTIONS_UNTIL_GENERIC_PLAN)}
    for event in known:
        await record_events(writer.runtime, channel, [event])
    locked = worker.pause_before("current_windows")
    await runtime.pool.execute("update block_head set windows_version = 0")
    run = worker.start(run_default_tags(worker.runtime, channel))
    await locked.wait_reached()
    late = writer.start(record_events(writer.runtime, channel, [FOLLOW]))
    assert await writer.blocked(late)

    await migrate(database_url, functions=next_rules())
    locked.release()
    await asyncio.gather(run, late)

    await check_consistency(runtime, channel, {*known, FOLLOW}, clock(), EQUIVALENT_WINDOWS)
    assert (await run_default_tags(runtime, channel)).blocks == 0


async def test_the_next_run_evaluates_everybody_under_the_new_rules(
    runtime: Runtime, channel: Channel, database_url: str, clock: FrozenClock
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    assert DefaultTagRule.UNTOUCHABLE in await tags_of(runtime, channel, "ann")

    await migrate(database_url, functions=next_rules())
    report = await run_default_tags(runtime, channel)

    assert (report.blocks, report.users_changed) == (1, 1)
    await check_consistency(runtime, channel, {FOLLOW}, clock(), EQUIVALENT_WINDOWS)
    clock.advance(HOUR)
    await run_default_tags(runtime, channel)
    await check_consistency(runtime, channel, {FOLLOW}, clock(), EQUIVALENT_WINDOWS)


async def test_who_left_and_came_back_in_one_second_before_times_were_cut_follows_after_the_upgrade(
    runtime: Runtime, channel: Channel, database_url: str, clock: FrozenClock
) -> None:
    """The first version of the rules compared facts to the microsecond."""
    await runtime.pool.execute(
        "create or replace function follows(f facts) returns boolean language sql immutable parallel safe "
        "return coalesce(f.followed_at >= coalesce(f.unfollowed_at, '-infinity'), false)"
    )
    await runtime.pool.execute("update repeatable_migration set rules_version = 1, announced_version = 1")
    left = UserEvent("ann", EventKind.UNFOLLOW, START + timedelta(milliseconds=400))
    came_back = UserEvent("ann", EventKind.FOLLOW, START)
    await record_events(runtime, channel, [left, came_back])
    assert await tags_of(runtime, channel, "ann") == set()

    await migrate(database_url)
    await run_default_tags(runtime, channel)
    await check_consistency(runtime, channel, {left, came_back}, clock())
    assert DefaultTagRule.NEW_USER in await tags_of(runtime, channel, "ann")
