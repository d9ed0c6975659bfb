"""Take the lock in a statement of its own; a difference read in the same one is from before the wait.

The rule: docs/architecture/03-lock-then-difference.md.
"""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from service.domain.default_tags.definitions import channel_rules, to_transitions
from service.domain.events.recorder import record_events
from service.domain.membership import write_transitions
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent, facts_from_events
from service.storage import default_tags as evaluation
from service.storage.blocks import heads
from tests.support.clock import START, FrozenClock
from tests.support.database_state import (
    changes_of,
    check_consistency,
    count_of,
    expected_facts,
    facts_by_openid,
    miscounted,
    tags_by_openid,
)
from tests.support.races import StartRacingProcess, modified_statement
from tests.support.runtime import ordinals_for

FOLLOW = UserEvent("ann", EventKind.FOLLOW, START)
MESSAGE = UserEvent("ann", EventKind.MESSAGE, START + timedelta(seconds=1))
LATER_MESSAGE = UserEvent("ann", EventKind.MESSAGE, START + timedelta(seconds=2))
CLICK = UserEvent("ann", EventKind.MENU_CLICK, START + timedelta(seconds=2))
OPENED, NOT_OPENED = 3, 4
BEGINS = "with event as ("
LOCKS_AS_IT_BEGINS = """with locked as materialized (
    select from block_head where channel_id = $1 and block in (select o / 32000 from unnest($2::int[]) o) for update
),
event as ("""
LOCK_AND_DIFFERENCE = modified_statement(
    "merge_facts",
    (BEGINS, LOCKS_AS_IT_BEGINS),
    (
        "where f.facts is distinct from u.facts",
        "where f.facts is distinct from u.facts and exists (select from locked)",
    ),
)

Record = Callable[[Runtime, Channel, UserEvent], Coroutine[Any, Any, None]]


async def record(runtime: Runtime, channel: Channel, event: UserEvent) -> None:
    await record_events(runtime, channel, [event])


async def record_in_one_statement(runtime: Runtime, channel: Channel, event: UserEvent) -> None:
    """Lock by the very statement that reads the difference; the head is read after, so its version is right."""
    ordinal = (await ordinals_for(runtime, channel, [event.openid]))[event.openid]
    async with runtime.pool.acquire() as conn, conn.transaction():
        (merged,) = facts_from_events([event], {event.openid: ordinal}).values()
        facts = {ordinal: evaluation.NewFacts(merged, runtime.clock())}
        found = await evaluation.merge_facts(conn, channel_rules(channel), facts)
        locked = await heads.lock_heads(conn, channel.channel_id, [0])
        await write_transitions(
            conn,
            channel.channel_id,
            locked,
            to_transitions(found.differences),
            cause=ChangeCause.EVENT,
            now=runtime.clock(),
        )


async def two_events_at_once(
    start_process: StartRacingProcess, channel: Channel, second_event: UserEvent, how: Record
) -> None:
    """Let the second process come for the same person when the first has written and not committed."""
    first = await start_process("first")
    second = await start_process("second", weakened=LOCK_AND_DIFFERENCE if how is record_in_one_statement else None)
    written = first.pause_before("advance_heads")
    one = first.start(record(first.runtime, channel, MESSAGE))
    await written.wait_reached()
    other = second.start(how(second.runtime, channel, second_event))
    assert await second.blocked(other)
    written.release()
    await asyncio.gather(one, other)


@pytest.mark.parametrize("second_event", [LATER_MESSAGE, CLICK], ids=["message", "click"])
async def test_the_difference_is_read_after_the_wait(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock, second_event: UserEvent
) -> None:
    await record(runtime, channel, FOLLOW)

    await two_events_at_once(start_process, channel, second_event, record)

    assert await changes_of(runtime, channel, "ann") == [({1, 4, 5, 8}, set()), ({OPENED}, {NOT_OPENED})]
    await check_consistency(runtime, channel, {FOLLOW, MESSAGE, second_event}, clock())


async def test_a_difference_from_before_the_wait_is_written_twice(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    """Both add Opened: the log says so twice, the count is two."""
    await record(runtime, channel, FOLLOW)

    await two_events_at_once(start_process, channel, LATER_MESSAGE, record_in_one_statement)

    assert await changes_of(runtime, channel, "ann") == [
        ({1, 4, 5, 8}, set()),
        ({OPENED}, {NOT_OPENED}),
        ({OPENED}, {NOT_OPENED}),
    ]
    assert await count_of(runtime, channel, OPENED) == 2
    assert set(await miscounted(runtime, channel)) == {(0, OPENED), (0, NOT_OPENED)}


async def test_facts_from_before_the_wait_forget_the_first_event(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    await record(runtime, channel, FOLLOW)

    await two_events_at_once(start_process, channel, CLICK, record_in_one_statement)

    assert (await facts_by_openid(runtime, channel))["ann"] == expected_facts({FOLLOW, CLICK})
    assert OPENED in (await tags_by_openid(runtime, channel))["ann"], "the bits remember what the facts forgot"
