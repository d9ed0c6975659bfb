"""Prune the log without a silent gap for readers that resume from a revision (docs/architecture/04-cursors.md)."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg

from service.domain.events.recorder import record_events
from service.domain.privacy.retention import prune_channel
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.revision import Revision
from service.entities.users import EventKind, UserEvent
from service.storage.blocks import change_log
from service.storage.blocks.change_log import ChangesSince
from tests.support.clock import START, FrozenClock
from tests.support.database_state import count_of, heads_of, tags_by_openid
from tests.support.oracle import oracle_tags
from tests.support.races import NO_BLOCK_LOCK, RacingProcess, StartRacingProcess

MINUTE = timedelta(minutes=1)
# Three versions a minute apart; the first two are forgotten.
FIRST = Revision(0, START)
FORGOTTEN = Revision(1, START)
BASE = Revision(2, START + MINUTE)
NEWEST = Revision(3, START + 2 * MINUTE)
BETWEEN = START + 1.5 * MINUTE
NO_BASE = {"raise_base": "select $1::bigint, $2::int, $3::bigint"}


async def story(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    for kind in (EventKind.FOLLOW, EventKind.MESSAGE, EventKind.UNFOLLOW):
        await record_events(runtime, channel, [UserEvent("ann", kind, clock())])
        clock.advance(MINUTE)


async def read(runtime: Runtime, channel: Channel, place: Revision) -> ChangesSince:
    async with runtime.pool.acquire() as conn:
        return await change_log.changes_since(conn, channel.channel_id, 0, place, [0])


async def versions_after(runtime: Runtime, channel: Channel, place: Revision) -> list[int] | None:
    """Return what a reader receives who resumes at a revision; None if the reader must begin anew."""
    answer = await read(runtime, channel, place)
    return [each.version for each in answer.changes] if answer.known else None


async def base_of(runtime: Runtime, channel: Channel) -> int:
    """Return the newest version that left the log."""
    return int(
        await runtime.pool.fetchval("select base_version from block_head where channel_id = $1", channel.channel_id)
    )


@asynccontextmanager
async def pruning_half_done(start_process: RacingProcess, channel: Channel) -> AsyncIterator[None]:
    """Hold a pruning where the base is raised and nothing is deleted yet."""
    raised = start_process.pause_before("prune_user_changes")
    pruning = start_process.start(prune_channel(start_process.runtime, channel.channel_id, BETWEEN))
    await raised.wait_reached()
    yield
    raised.release()
    await pruning


async def test_readers_and_writers_during_and_after_a_pruning(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await story(runtime, channel, clock)
    pruner, writer = await start_process("pruner"), await start_process("writer")
    async with pruning_half_done(pruner, channel):
        assert await versions_after(runtime, channel, FIRST) == [1, 2, 3], "nothing is forgotten before the commit"
        event = writer.start(record_events(writer.runtime, channel, [UserEvent("ann", EventKind.FOLLOW, clock())]))
        assert await writer.blocked(event)
    await event

    places = (FIRST, FORGOTTEN, BASE, NEWEST)
    assert [await versions_after(runtime, channel, place) for place in places] == [None, None, [3, 4], [4]]


async def test_without_the_base_a_reader_resumes_over_a_gap(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    await story(runtime, channel, clock)
    pruner = await start_process("pruner", weakened=NO_BASE)
    async with pruning_half_done(pruner, channel):
        pass

    assert await versions_after(runtime, channel, FIRST) == [3]
    assert await versions_after(runtime, channel, BASE) is None, "and a reader who missed nothing begins anew"


async def test_a_place_checked_in_a_statement_of_its_own_may_be_gone_in_the_next(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """What `changes_since` would be as two statements: is the place known, and what came after."""
    await story(runtime, channel, clock)
    pruner = await start_process("pruner")
    async with pruning_half_done(pruner, channel):
        checked = await read(runtime, channel, FIRST)
    answer = await read(runtime, channel, FIRST)

    assert checked.known
    assert [each.version for each in answer.changes] == [3]
    assert not answer.known, "as one statement it says so"


async def drop_nobody_while_somebody_comes(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, weakened: Mapping[str, str] | None = None
) -> list[BaseException | None]:
    """Delete empty bitmaps after the only follower has left, while an event writes into them."""
    for kind, at in ((EventKind.FOLLOW, START), (EventKind.UNFOLLOW, START + MINUTE)):
        await record_events(runtime, channel, [UserEvent("ann", kind, at)])
    pruner, writer = await start_process("pruner", weakened=weakened), await start_process("writer")
    flipped = writer.pause_before("count_members")
    event = writer.start(record_events(writer.runtime, channel, [UserEvent("ben", EventKind.FOLLOW, START)]))
    await flipped.wait_reached()
    pruning = pruner.start(prune_channel(pruner.runtime, channel.channel_id, START))
    await pruner.blocked(pruning)
    flipped.release()
    return list(await asyncio.gather(event, pruning, return_exceptions=True))


async def test_a_bitmap_of_nobody_is_dropped_under_the_lock(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    assert await drop_nobody_while_somebody_comes(start_process, runtime, channel) == [None, None]

    assert await tags_by_openid(runtime, channel) == {"ann": set(), "ben": {1, 4, 5, 8}}
    assert await count_of(runtime, channel, 5) == 1


async def test_without_the_lock_of_the_block_the_two_deadlock(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel
) -> None:
    outcomes = await drop_nobody_while_somebody_comes(start_process, runtime, channel, NO_BLOCK_LOCK)

    assert [type(each) for each in outcomes if each is not None] == [asyncpg.DeadlockDetectedError]


async def test_resuming_anywhere_at_any_time_gives_all_or_begins_anew(
    start_process: StartRacingProcess, runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """One person changes all the time, the log is pruned all the time, and readers resume at old places."""
    writer, pruner, order = await start_process("writer"), await start_process("pruner"), random.Random(11)
    happened = {UserEvent("ann", EventKind.UNFOLLOW, START)}
    await record_events(runtime, channel, list(happened))

    async def write() -> None:
        for number in range(80):
            clock.advance(MINUTE)
            event = UserEvent("ann", EventKind.UNFOLLOW if number % 2 else EventKind.FOLLOW, clock())
            happened.add(event)
            await record_events(writer.runtime, channel, [event])

    writing = writer.start(write())
    places, begun_anew = [FIRST], 0
    while not writing.done():
        await prune_channel(pruner.runtime, channel.channel_id, clock() - 8 * MINUTE)
        for place in (places[-1], *order.choices(places, k=4)):
            answer = await read(runtime, channel, place)
            places.append(answer.revision)
            if answer.known:
                assert [each.version for each in answer.changes] == list(
                    range(place.version + 1, answer.revision.version + 1)
                )
            else:
                begun_anew += 1
                assert place.version < await base_of(runtime, channel), "only who is too far behind"
    await writing

    assert begun_anew
    [head] = await heads_of(runtime, channel)
    assert head.version == 80
    assert (await tags_by_openid(runtime, channel))["ann"] == oracle_tags(
        happened, channel.bound_at, runtime.settings.windows, clock(), channel.kind
    )
