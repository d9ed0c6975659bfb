"""Number a channel's changes while others write, number, open or delete the same feed."""

import asyncio
from datetime import timedelta

import pytest

from service.domain.change_feed.retention import UNFOLLOWED_RETENTION, prune_feed
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage.change_feed import feed_state, open_feed, position_now
from tests.domain.change_feed.follower import Body, follow, ordinal_of
from tests.support.clock import FrozenClock
from tests.support.races import RacingProcess, StartRacingProcess, modified_statement
from tests.support.runtime import ordinals_for
from tests.support.tags import add_members, make_tag, remove_members

PEOPLE = ("ann", "ben", "cyd")
UNLOCKED = modified_statement("lock_feed", ("for update skip locked", ""))


def told(events: list[Body]) -> list[tuple[int, int, int]]:
    """Return of each event of a person who it is about, and how many tags they gained and lost."""
    return [
        (ordinal_of(each), len(each["added"]), len(each["removed"]))
        for each in events
        if each["type"] == "user.tags_changed"
    ]


@pytest.mark.parametrize("weakened", [False, True])
async def test_of_two_who_number_one_does(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, weakened: bool
) -> None:
    follower = await follow(runtime, channel)
    await make_tag(runtime, channel, "Gold", "ann", "ben")
    west = await start_process("west", weakened=UNLOCKED if weakened else None)
    east = await start_process("east", weakened=UNLOCKED if weakened else None)
    stop = west.pause_before("append_feed_entries")
    first = west.start(sequence_channel(west.runtime, channel.channel_id))
    await stop.wait_reached()
    assert await sequence_channel(east.runtime, channel.channel_id) is weakened
    stop.release()
    if weakened:
        with pytest.raises(Exception, match="feed_entry_pkey"):
            await first
        return
    assert await first
    assert told(await follower.read()) == [(0, 1, 0), (1, 1, 0)]
    assert not await sequence_channel(east.runtime, channel.channel_id)


@pytest.mark.parametrize("moment", ["append_feed_entries", "COMMIT;"])
async def test_one_who_dies_while_numbering_leaves_nothing_half_done(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, moment: str
) -> None:
    follower = await follow(runtime, channel)
    await make_tag(runtime, channel, "Gold", "ann", "ben")
    west = await start_process("west")
    stop = west.pause_before(moment)
    dying = west.start(sequence_channel(west.runtime, channel.channel_id))
    await stop.wait_reached()
    await west.kill()
    stop.release()
    with pytest.raises(Exception, match=r"terminat|closed|connection"):
        await dying
    assert await follower.read() == []
    assert told(await follower.catch_up()) == [(0, 1, 0), (1, 1, 0)]


@pytest.mark.parametrize("moment", ["log_user_changes", "advance_heads", "COMMIT;"])
async def test_what_is_not_committed_has_no_number_and_gets_one_later(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess, moment: str
) -> None:
    gold = await make_tag(runtime, channel, "Gold", "ann")
    await ordinals_for(runtime, channel, PEOPLE)
    follower = await follow(runtime, channel)
    west = await start_process("west")
    stop = west.pause_before(moment)
    writing = west.start(add_members(west.runtime, channel, gold, "ben"))
    await stop.wait_reached()
    assert await follower.catch_up() == []
    # Another change waits for the block, and whoever numbers waits for neither.
    waiting = asyncio.create_task(remove_members(runtime, channel, gold, "ann"))
    assert await follower.catch_up() == []
    stop.release()
    await asyncio.gather(writing, waiting)
    assert sorted(told(await follower.catch_up())) == [(0, 0, 1), (1, 1, 0)]


async def test_writers_and_many_who_number_lose_and_repeat_nothing(
    runtime: Runtime, channel: Channel, start_process: StartRacingProcess
) -> None:
    follower = await follow(runtime, channel)
    processes = [await start_process(f"process {number}") for number in range(3)]
    writing = True

    async def number(process: RacingProcess) -> None:
        while writing:
            await sequence_channel(process.runtime, channel.channel_id)

    numbering = [process.start(number(process)) for process in processes]
    gold = await make_tag(runtime, channel, "Gold", *PEOPLE)
    for _ in range(15):
        await asyncio.gather(*(remove_members(runtime, channel, gold, each) for each in PEOPLE))
        await asyncio.gather(*(add_members(runtime, channel, gold, each) for each in PEOPLE))
        await follower.read()
    writing = False
    await asyncio.gather(*numbering)
    await follower.catch_up()
    for ordinal in range(len(PEOPLE)):
        mine = [(added, removed) for who, added, removed in told(follower.events) if who == ordinal]
        assert mine == [(1, 0), *[(0, 1), (1, 0)] * 15]


async def test_who_opens_a_feed_that_is_being_deleted_has_a_new_one(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    await follow(runtime, channel)
    clock.advance(UNFOLLOWED_RETENTION + timedelta(minutes=5))
    west, east = await start_process("west"), await start_process("east")
    stop = west.pause_before("delete_feed_blocks")
    pruning = west.start(prune_feed(west.runtime, channel.channel_id, clock() - timedelta(days=30)))
    await stop.wait_reached()

    async def begin() -> object:
        async with east.runtime.pool.acquire() as conn:
            await open_feed(conn, channel.channel_id, clock())
            return await position_now(conn, channel.channel_id)

    opening = east.start(begin())
    assert await east.blocked(opening)
    stop.release()
    await pruning
    position = await opening
    async with runtime.pool.acquire() as conn:
        state = await feed_state(conn, channel.channel_id)
    assert state is not None
    assert position == await _position_now(runtime, channel)


async def test_a_feed_that_somebody_begins_to_follow_is_not_deleted(
    runtime: Runtime, channel: Channel, clock: FrozenClock, start_process: StartRacingProcess
) -> None:
    await follow(runtime, channel)
    before = await _position_now(runtime, channel)
    clock.advance(UNFOLLOWED_RETENTION + timedelta(minutes=5))
    west, east = await start_process("west"), await start_process("east")
    stop = west.pause_before("COMMIT;")

    async def begin() -> None:
        async with west.runtime.pool.acquire() as conn, conn.transaction():
            await open_feed(conn, channel.channel_id, clock())

    opening = west.start(begin())
    await stop.wait_reached()
    pruning = east.start(prune_feed(east.runtime, channel.channel_id, clock() - timedelta(days=30)))
    assert await east.blocked(pruning)
    stop.release()
    await asyncio.gather(opening, pruning)
    assert await _position_now(runtime, channel) == before


async def _position_now(runtime: Runtime, channel: Channel) -> object:
    async with runtime.pool.acquire() as conn:
        return await position_now(conn, channel.channel_id)
