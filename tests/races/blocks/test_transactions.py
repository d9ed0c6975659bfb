"""Do all that an event or a run does in one transaction; half of it is never left.

The rule: docs/architecture/03-lock-then-difference.md.
"""

import asyncio
from collections.abc import Coroutine
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder, record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind, UserEvent
from service.storage.database.pool import CONNECTION_LOST
from tests.support.clock import START, FrozenClock
from tests.support.database_state import (
    changes_of,
    check_consistency,
    count_of,
    facts_by_openid,
    miscounted,
    table_rows,
    tags_of,
)
from tests.support.races import RacingProcess, StartRacingProcess
from tests.support.runtime import published_notifications

FOLLOW = UserEvent("ann", EventKind.FOLLOW, START)
MESSAGE = UserEvent("ann", EventKind.MESSAGE, START)
AFTER_THE_FLIP = ("count_members", "log_user_changes", "advance_heads")
OPENED = DefaultTagRule.OPENED
POISON = "insert into user_tag_change values ($1, 0, 2, 0, $2, 'EVENT', '{}', '{}')"
ANTIDOTE = "delete from user_tag_change where version = 2"


async def message_that_cannot_be_logged(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, *, transactions: bool = True
) -> RacingProcess:
    """Put a line of the next version into the log, which then refuses what was flipped and counted by then."""
    await record_events(runtime, channel, [FOLLOW])
    await runtime.pool.execute(POISON, channel.channel_id, START)
    writer = await start_process("writer", transactions=transactions)
    with pytest.raises(asyncpg.UniqueViolationError):
        await record_events(writer.runtime, channel, [MESSAGE])
    await runtime.pool.execute(ANTIDOTE)
    return writer


async def killed_before(
    start_process: RacingProcess, statement: str, work: Coroutine[Any, Any, object]
) -> BaseException | None:
    """Return how some work ends whose connections are cut just before it executes a statement."""
    stop = start_process.pause_before(statement)
    task = start_process.start(work)
    await stop.wait_reached()
    await start_process.kill()
    stop.release()
    await asyncio.wait([task])
    return task.exception()


async def test_a_violated_constraint_takes_everything_back(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    writer = await message_that_cannot_be_logged(start_process, runtime, channel)

    assert published_notifications(writer.runtime) == []
    await check_consistency(runtime, channel, {FOLLOW}, clock())
    await record_events(writer.runtime, channel, [MESSAGE])
    await check_consistency(runtime, channel, {FOLLOW, MESSAGE}, clock())


async def test_without_a_transaction_facts_bits_and_counts_change_and_nothing_is_sent(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    await message_that_cannot_be_logged(start_process, runtime, channel, transactions=False)

    assert (await facts_by_openid(runtime, channel))["ann"].messaged_at == START
    assert OPENED in await tags_of(runtime, channel, "ann")
    assert await count_of(runtime, channel, OPENED) == 1
    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set())]
    report = await verify_channel(runtime, channel, repair=True)
    assert report.wrong_log > 0
    assert replace(report, wrong_log=0).clean


@pytest.mark.parametrize("statement", AFTER_THE_FLIP)
async def test_a_connection_killed_after_the_flip_leaves_everything_as_it_was(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock, statement: str
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    before = await table_rows(runtime)
    writer = await start_process("writer")

    error = await killed_before(writer, statement, record_events(writer.runtime, channel, [MESSAGE]))

    assert isinstance(error, CONNECTION_LOST)
    assert await table_rows(runtime) == before
    await check_consistency(runtime, channel, {FOLLOW}, clock())


async def test_without_a_transaction_a_killed_connection_leaves_bits_without_counts(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    writer = await start_process("writer", transactions=False)

    error = await killed_before(writer, "count_members", record_events(writer.runtime, channel, [MESSAGE]))

    assert isinstance(error, CONNECTION_LOST)
    assert OPENED in await tags_of(runtime, channel, "ann")
    assert set(await miscounted(runtime, channel)) == {(0, OPENED), (0, DefaultTagRule.NOT_OPENED)}
    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set())]


@pytest.mark.parametrize("statement", AFTER_THE_FLIP)
async def test_an_event_whose_connection_is_killed_is_written_again_and_once(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock, statement: str
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    writer = await start_process("writer")

    assert await killed_before(writer, statement, EventRecorder(writer.runtime).record(channel, [MESSAGE])) is None

    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({3}, {4})]
    assert [each.version for each in published_notifications(writer.runtime)] == [2]
    await check_consistency(runtime, channel, {FOLLOW, MESSAGE}, clock())


@pytest.mark.parametrize("statement", [*AFTER_THE_FLIP, "raise_evaluated_at"])
async def test_a_run_killed_half_way_is_made_up_for_by_the_next(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock, statement: str
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    clock.advance(timedelta(hours=1))
    before = await table_rows(runtime)
    worker = await start_process("worker")

    error = await killed_before(worker, statement, run_default_tags(worker.runtime, channel))

    assert isinstance(error, BaseExceptionGroup)
    assert error.subgroup(CONNECTION_LOST)
    assert await table_rows(runtime) == before
    assert (await run_default_tags(runtime, channel)).users_changed == 1
    await check_consistency(runtime, channel, {FOLLOW}, clock())
