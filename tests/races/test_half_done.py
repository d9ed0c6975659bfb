"""DESIGN §3: what an event or a run does is one transaction. When it fails half way, nothing of it is left."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.domain.events.recorder import EventRecorder, record_events
from service.domain.runtime import Runtime
from service.domain.verification.channel import verify_channel
from service.entities.channels import Channel
from service.entities.enums import DefaultTagRule, EventKind
from service.entities.users import UserEvent
from service.storage.database.pool import CONNECTION_LOST
from tests.domain.standings import facts_by_openid, miscounted
from tests.frozen_clock import START, FrozenClock
from tests.races.outcomes import check_everything, count_of, everything, lines_of, tags_of
from tests.races.sides import OpenSide, Side
from tests.runtimes import wake_ups_of

FOLLOW = UserEvent("ann", EventKind.FOLLOW, START)
MESSAGE = UserEvent("ann", EventKind.MESSAGE, START)
AFTER_THE_FLIP = ("count_members", "log_user_changes", "advance_heads")
OPENED = DefaultTagRule.OPENED
POISON = "insert into user_tag_change values ($1, 0, 2, 0, $2, 'EVENT', '{}', '{}')"
ANTIDOTE = "delete from user_tag_change where version = 2"


async def message_that_cannot_be_logged(
    side: OpenSide, runtime: Runtime, channel: Channel, *, transactions: bool = True
) -> Side:
    """A line of the next version is there already, so the log refuses what was flipped and counted by then."""
    await record_events(runtime, channel, [FOLLOW])
    await runtime.pool.execute(POISON, channel.channel_id, START)
    writer = await side("writer", transactions=transactions)
    with pytest.raises(asyncpg.UniqueViolationError):
        await record_events(writer.runtime, channel, [MESSAGE])
    await runtime.pool.execute(ANTIDOTE)
    return writer


async def killed_before(side: Side, statement: str, work: Coroutine[Any, Any, object]) -> BaseException | None:
    """What some work answers whose connections are ended just before it executes a statement."""
    stop = side.stop_before(statement)
    task = side.start(work)
    await stop.reached()
    await side.kill()
    stop.let_go()
    await asyncio.wait([task])
    return task.exception()


async def test_a_violated_constraint_takes_everything_back(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    writer = await message_that_cannot_be_logged(side, runtime, channel)

    assert wake_ups_of(writer.runtime) == []
    await check_everything(runtime, channel, {FOLLOW}, clock())
    await record_events(writer.runtime, channel, [MESSAGE])
    await check_everything(runtime, channel, {FOLLOW, MESSAGE}, clock())


async def test_without_a_transaction_facts_bits_and_counts_change_and_nobody_is_told(
    side: OpenSide, runtime: Runtime, channel: Channel
) -> None:
    await message_that_cannot_be_logged(side, runtime, channel, transactions=False)

    assert (await facts_by_openid(runtime, channel))["ann"].messaged_at == START
    assert OPENED in await tags_of(runtime, channel, "ann")
    assert await count_of(runtime, channel, OPENED) == 1
    assert await lines_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set())]
    assert (await verify_channel(runtime, channel, repair=True)).clean, "nothing ever finds the missing line"


@pytest.mark.parametrize("statement", AFTER_THE_FLIP)
async def test_a_connection_killed_after_the_flip_leaves_everything_as_it_was(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock, statement: str
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    before = await everything(runtime)
    writer = await side("writer")

    error = await killed_before(writer, statement, record_events(writer.runtime, channel, [MESSAGE]))

    assert isinstance(error, CONNECTION_LOST)
    assert await everything(runtime) == before
    await check_everything(runtime, channel, {FOLLOW}, clock())


async def test_without_a_transaction_a_killed_connection_leaves_bits_without_counts(
    side: OpenSide, runtime: Runtime, channel: Channel
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    writer = await side("writer", transactions=False)

    error = await killed_before(writer, "count_members", record_events(writer.runtime, channel, [MESSAGE]))

    assert isinstance(error, CONNECTION_LOST)
    assert OPENED in await tags_of(runtime, channel, "ann")
    assert set(await miscounted(runtime, channel)) == {(0, OPENED), (0, DefaultTagRule.NOT_OPENED)}
    assert await lines_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set())]


@pytest.mark.parametrize("statement", AFTER_THE_FLIP)
async def test_an_event_whose_connection_is_killed_is_written_again_and_once(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock, statement: str
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    writer = await side("writer")

    assert await killed_before(writer, statement, EventRecorder(writer.runtime).record(channel, [MESSAGE])) is None

    assert await lines_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({3}, {4})]
    assert [each.version for each in wake_ups_of(writer.runtime)] == [2]
    await check_everything(runtime, channel, {FOLLOW, MESSAGE}, clock())


@pytest.mark.parametrize("statement", [*AFTER_THE_FLIP, "raise_evaluated_at"])
async def test_a_run_killed_half_way_is_made_up_for_by_the_next(
    side: OpenSide, runtime: Runtime, channel: Channel, clock: FrozenClock, statement: str
) -> None:
    await record_events(runtime, channel, [FOLLOW])
    clock.advance(timedelta(hours=1))
    before = await everything(runtime)
    worker = await side("worker")

    error = await killed_before(worker, statement, run_default_tags(worker.runtime, channel))

    assert isinstance(error, BaseExceptionGroup)
    assert error.subgroup(CONNECTION_LOST)
    assert await everything(runtime) == before
    assert (await run_default_tags(runtime, channel)).users_changed == 1
    await check_everything(runtime, channel, {FOLLOW}, clock())
