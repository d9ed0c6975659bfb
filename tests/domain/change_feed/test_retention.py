"""Delete what a feed can no longer tell: whoever missed nothing by it goes on, everybody else begins afresh."""

from datetime import timedelta

import pytest

from service.domain.change_feed.cursors import decode_cursor
from service.domain.change_feed.retention import UNFOLLOWED_RETENTION
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.privacy.retention import prune_channel
from service.domain.runtime import Runtime
from service.entities.change_feed import FeedFilter, FeedPosition
from service.entities.channels import Channel
from service.entities.jobs import JobKind
from service.storage.change_feed import FeedState, feed_state, open_feed
from tests.domain.change_feed.feed_model import CROWD
from tests.domain.change_feed.follower import Body, Follower, follow
from tests.domain.change_feed.test_notices import finish, make_job
from tests.support.clock import FrozenClock
from tests.support.runtime import bind
from tests.support.tags import add_members, make_tag

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)
INSERT_ENDPOINT = """
insert into webhook_endpoint (robot_id, url, events, state, secret, signing_key, public_key, created_at, created_by)
values ('robot-1', 'https://example.com', '{}', $1, '', '', '', now(), 'tests') returning endpoint_id
"""
INSERT_POSITION = "insert into webhook_position (channel_id, endpoint_id, seq, at) values ($1, $2, 0, now())"


async def state_of(runtime: Runtime, channel: Channel) -> FeedState | None:
    async with runtime.pool.acquire() as conn:
        return await feed_state(conn, channel.channel_id)


async def entry_count(runtime: Runtime) -> int:
    return int(await runtime.pool.fetchval("select count(*) from feed_entry"))


def at(follower: Follower, event: Body) -> Follower:
    """Return a reader who was told everything up to an event, and nothing of what came after."""
    position = decode_cursor(event["cursor"], follower.channel.channel_id, "after")
    return Follower(follower.runtime, follower.channel, position)


async def prune(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    """Delete all that happened before the present second."""
    clock.advance(SECOND)
    await prune_channel(runtime, channel.channel_id, clock())


async def test_who_read_everything_misses_nothing_by_pruning(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    follower = await follow(runtime, channel)
    beginning = follower.position
    gold = await make_tag(runtime, channel, "Gold", "ann", "ben", "cyd")
    told = await follower.catch_up()
    await prune(runtime, channel, clock)
    assert await entry_count(runtime) == 0

    await add_members(runtime, channel, gold, "dan")
    await sequence_channel(runtime, channel.channel_id)
    new = await follower.read()
    assert [each["type"] for each in new] == ["user.tags_changed"]
    # The last event that there was says as much as the position after it.
    assert await at(follower, told[-1]).read() == new
    for earlier in (told[0], told[-2]):
        assert [each["type"] for each in await at(follower, earlier).read()] == ["feed.reset"]
    behind = Follower(runtime, channel, beginning)
    (reset,) = await behind.read()
    assert {(tag["name"], tag["memberCount"]) for tag in reset["tags"] if tag["kind"] == "RETURN"} == {("Gold", 4)}
    await add_members(runtime, channel, gold, "eve")
    assert [each["type"] for each in await behind.catch_up()] == ["user.tags_changed"]


@pytest.mark.parametrize("last", ["bulk", "tags", "notice"])
async def test_the_last_thing_told_may_be_of_any_kind(
    runtime: Runtime, channel: Channel, clock: FrozenClock, last: str
) -> None:
    follower = await follow(runtime, channel)
    if last == "bulk":
        await make_tag(runtime, channel, "Gold", *CROWD)
    else:
        await make_tag(runtime, channel, "Gold", "ann")
        await follower.catch_up()
        if last == "tags":
            await make_tag(runtime, channel, "Silver")
            await make_tag(runtime, channel, "Bronze")
        else:
            await finish(runtime, await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT))
            await finish(runtime, await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT))
    await follower.catch_up()
    told = follower.events
    await prune(runtime, channel, clock)
    assert await at(follower, told[-1]).read() == []
    assert [each["type"] for each in await at(follower, told[-2]).read()] == ["feed.reset"]


async def test_only_what_is_old_is_deleted(runtime: Runtime, channel: Channel, clock: FrozenClock) -> None:
    follower = await follow(runtime, channel)
    gold = await make_tag(runtime, channel, "Gold", "ann")
    old = await follower.catch_up()
    clock.advance(DAY)
    before = clock()
    await add_members(runtime, channel, gold, "ben")
    new = await follower.catch_up()
    clock.advance(DAY)
    await prune_channel(runtime, channel.channel_id, before)
    assert await entry_count(runtime) == 1
    assert await at(follower, old[-1]).read() == new
    # Again, and nothing else happens.
    state = await state_of(runtime, channel)
    await prune_channel(runtime, channel.channel_id, before)
    assert await state_of(runtime, channel) == state


async def test_what_was_not_numbered_in_time_is_missed_and_said_so(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    """No worker ran for longer than the log is kept."""
    follower = await follow(runtime, channel)
    gold = await make_tag(runtime, channel, "Gold", "ann")
    await prune(runtime, channel, clock)
    await add_members(runtime, channel, gold, "ben")
    assert [each["type"] for each in await follower.catch_up()] == ["feed.reset"]
    await add_members(runtime, channel, gold, "cyd")
    assert [each["type"] for each in await follower.catch_up()] == ["user.tags_changed"]


async def test_a_reset_has_only_the_tags_that_are_followed_and_comes_in_parts(
    runtime: Runtime, channel: Channel
) -> None:
    gold = await make_tag(runtime, channel, "Gold", "ann")
    for number in range(60):
        await make_tag(runtime, channel, f"Tag {number}")
    follower = await follow(runtime, channel)
    follower.position = FeedPosition(1)
    parts = await follower.read()
    assert [(each["part"], each["parts"], len(each["tags"])) for each in parts] == [(1, 3, 30), (2, 3, 30), (3, 3, 9)]
    one = await follow(runtime, channel, FeedFilter(frozenset(), frozenset({gold})))
    one.position = FeedPosition(1)
    (reset,) = await one.read()
    assert "part" not in reset
    assert [(tag["name"], tag["state"], tag["memberCount"]) for tag in reset["tags"]] == [("Gold", "ACTIVE", 1)]


async def test_a_feed_is_deleted_a_week_after_the_last_follower(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    follower = await follow(runtime, channel)
    await make_tag(runtime, channel, "Gold", "ann")
    await finish(runtime, await make_job(runtime, channel, JobKind.FOLLOWER_IMPORT))
    await follower.catch_up()
    clock.advance(UNFOLLOWED_RETENTION)
    await prune_channel(runtime, channel.channel_id, clock() - 30 * DAY)
    assert await state_of(runtime, channel) is not None
    clock.advance(SECOND)
    await prune_channel(runtime, channel.channel_id, clock() - 30 * DAY)
    for table in ("feed", "feed_block", "feed_entry", "feed_notice"):
        assert await runtime.pool.fetchval(f"select count(*) from {table}") == 0  # noqa: S608 - of ours

    # Whoever comes back with an old position begins afresh, in a feed whose numbers are others.
    await follow(runtime, channel)
    assert [each["type"] for each in await follower.read()] == ["feed.reset"]


@pytest.mark.parametrize(("state", "kept"), [("ON", True), ("OFF", False), ("GONE", False)])
async def test_an_endpoint_that_is_told_keeps_the_feed(
    runtime: Runtime, channel: Channel, clock: FrozenClock, state: str, kept: bool
) -> None:
    other = await bind(runtime)
    for each in (channel, other):
        await follow(runtime, each)
    endpoint_id = await runtime.pool.fetchval(INSERT_ENDPOINT, state)
    await runtime.pool.execute(INSERT_POSITION, channel.channel_id, endpoint_id)
    clock.advance(2 * UNFOLLOWED_RETENTION)
    for each in (channel, other):
        await prune_channel(runtime, each.channel_id, clock() - 30 * DAY)
    assert await state_of(runtime, other) is None
    assert (await state_of(runtime, channel) is not None) is kept


async def test_asking_again_keeps_the_feed_and_is_written_once_a_minute(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    followed_at = []
    for _ in range(4):
        async with runtime.pool.acquire() as conn:
            await open_feed(conn, channel.channel_id, clock())
        followed_at.append(await runtime.pool.fetchval("select followed_at from feed"))
        clock.advance(timedelta(seconds=30))
    assert [later - followed_at[0] for later in followed_at] == [0 * SECOND, 0 * SECOND, 60 * SECOND, 60 * SECOND]
