"""Follow what happens in a channel by its numbered feed (docs/specification.md §6.7)."""

import asyncio
from datetime import timedelta

import pytest

from service.domain.change_feed.reading import read_feed
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.combos.activation import rescue_combos
from service.domain.events.recorder import record_events
from service.domain.privacy.forgetting import forget_openid
from service.domain.runtime import Runtime
from service.entities.change_feed import FeedEventType, FeedFilter
from service.entities.channels import Channel
from service.entities.expressions import tag
from service.entities.users import EventKind, UserEvent
from service.storage.change_feed import feeds_behind, open_feed, position_now, position_since
from tests.domain.change_feed.follower import follow, ordinal_of, tags_of
from tests.support.clock import FrozenClock
from tests.support.tags import add_members, delete_tag_of, make_combo, make_tag, remove_members

SECOND = timedelta(seconds=1)


async def test_who_gains_and_loses_a_tag_is_told_in_order(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    follower = await follow(runtime, channel)
    gold = await make_tag(runtime, channel, "Gold", "ann", "ben")
    clock.advance(SECOND)
    await remove_members(runtime, channel, gold, "ann")

    made, first, second, last = await follower.catch_up()
    assert (made["type"], made["kind"], made["name"], made["state"]) == ("tag.created", "RETURN", "Gold", "ACTIVE")
    assert [(ordinal_of(each), tags_of(each, "added"), each["cause"]) for each in (first, second)] == [
        (0, {gold}, "RETURN_DATA"),
        (1, {gold}, "RETURN_DATA"),
    ]
    assert (ordinal_of(last), tags_of(last, "removed"), last["added"]) == (0, {gold}, [])
    assert (first["at"], last["at"]) == ("2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z")
    assert await follower.catch_up() == []


async def test_what_happened_before_the_first_follower_is_not_told(runtime: Runtime, channel: Channel) -> None:
    gold = await make_tag(runtime, channel, "Gold", "ann")
    follower = await follow(runtime, channel)
    await add_members(runtime, channel, gold, "ben")
    assert [ordinal_of(each) for each in await follower.catch_up()] == [1]


async def test_a_channel_that_nobody_follows_is_never_numbered(runtime: Runtime, channel: Channel) -> None:
    await make_tag(runtime, channel, "Gold", "ann")
    async with runtime.pool.acquire() as conn:
        assert await feeds_behind(conn, 10) == []
    assert not await sequence_channel(runtime, channel.channel_id)
    for table in ("feed", "feed_block", "feed_entry", "feed_notice"):
        assert await runtime.pool.fetchval(f"select count(*) from {table}") == 0  # noqa: S608 - of ours


async def test_one_statement_finds_the_channels_with_something_new(runtime: Runtime, channel: Channel) -> None:
    await follow(runtime, channel)
    async with runtime.pool.acquire() as conn:
        assert await feeds_behind(conn, 10) == []
        await make_tag(runtime, channel, "Gold", "ann")
        assert await feeds_behind(conn, 10) == [channel.channel_id]
        await sequence_channel(runtime, channel.channel_id)
        assert await feeds_behind(conn, 10) == []


async def test_a_combo_in_effect_is_one_event_and_so_is_its_lapse(runtime: Runtime, channel: Channel) -> None:
    gold = await make_tag(runtime, channel, "Gold", *(f"person-{number}" for number in range(20)))
    follower = await follow(runtime, channel)
    combo = await make_combo(runtime, channel, "Best", tag(gold))
    await follower.catch_up()
    await rescue_combos(runtime, channel.channel_id)
    in_effect = await follower.catch_up()
    assert [(each["type"], each["name"], each["state"]) for each in in_effect] == [
        ("tag.state_changed", "Best", "ACTIVE")
    ]

    assert await delete_tag_of(runtime, channel, gold) == {combo.tag_id}
    deleted, lapsed = await follower.catch_up()
    assert (deleted["type"], deleted["name"], "lapsedBy" in deleted) == ("tag.deleted", "Gold", False)
    assert (lapsed["type"], lapsed["state"], lapsed["lapsedBy"]) == ("tag.state_changed", "LAPSED", [deleted["tagId"]])


async def test_reading_again_tells_the_same_however_large_the_pages_are(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    follower = await follow(runtime, channel)
    beginning = follower.position
    # A change of many people is logged by tag, one of few by person.
    crowd = [f"person-{number}" for number in range(400)]
    gold = await make_tag(runtime, channel, "Gold", *crowd)
    await sequence_channel(runtime, channel.channel_id)
    clock.advance(SECOND)
    await make_tag(runtime, channel, "Silver", *crowd[:30])
    await remove_members(runtime, channel, gold, *crowd[5:9])
    told = await follower.catch_up()
    assert len(told) == 2 + 400 + 30 + 4
    for page_size in (1, 7, 50, 10_000):
        again = await follow(runtime, channel, page_size=page_size)
        again.position = beginning
        assert await again.read() == told


async def test_a_page_ends_at_a_given_position(runtime: Runtime, channel: Channel) -> None:
    follower = await follow(runtime, channel)
    beginning = follower.position
    await make_tag(runtime, channel, "Gold", "ann", "ben", "cyd")
    await sequence_channel(runtime, channel.channel_id)
    whole = await read_feed(runtime, channel.channel_id, beginning, limit=100)
    until = whole.events[2].position
    part = await read_feed(runtime, channel.channel_id, beginning, limit=100, until=until)
    assert part.events == whole.events[:3]
    assert part.position == until
    rest = await read_feed(runtime, channel.channel_id, until, limit=100)
    assert (rest.events, rest.at_end) == (whole.events[3:], True)


async def test_a_filter_leaves_out_types_and_tags_and_goes_on_behind_them(runtime: Runtime, channel: Channel) -> None:
    gold = await make_tag(runtime, channel, "Gold", "ann")
    people = frozenset({FeedEventType.USER_TAGS_CHANGED})
    followers = [
        await follow(runtime, channel, FeedFilter(people)),
        await follow(runtime, channel, FeedFilter(people, frozenset({gold}))),
        await follow(runtime, channel, FeedFilter(frozenset({FeedEventType.TAG_CREATED}))),
    ]
    silver = await make_tag(runtime, channel, "Silver", "ann")
    await add_members(runtime, channel, gold, "ben")
    events = [[(each["type"], each.get("name")) for each in await follower.catch_up()] for follower in followers]
    assert events == [
        [("user.tags_changed", None)] * 2,
        [("user.tags_changed", None)],
        [("tag.created", "Silver")],
    ]
    assert tags_of(followers[0].events[0], "added") == {silver}
    assert tags_of(followers[1].events[0], "added") == {gold}
    assert len({follower.position for follower in followers}) == 1


async def test_who_was_forgotten_meanwhile_is_told_of_once_and_not_by_name_of_tags(
    runtime: Runtime, channel: Channel
) -> None:
    follower = await follow(runtime, channel)
    beginning = follower.position
    await record_events(runtime, channel, [UserEvent("ann", EventKind.FOLLOW, runtime.clock())])
    await make_tag(runtime, channel, "Gold", "ann", "ben")
    assert {ordinal_of(each) for each in await follower.catch_up() if "userId" in each} == {0, 1}
    await forget_openid(runtime, channel.channel_id, "ann")
    [forgotten] = await follower.catch_up()
    assert (forgotten["type"], ordinal_of(forgotten)) == ("user.forgotten", 0)
    assert forgotten.keys() == {"type", "at", "channelId", "cursor", "userId"}

    again = await follow(runtime, channel)
    again.position = beginning
    assert [(each["type"], ordinal_of(each)) for each in await again.read() if "userId" in each] == [
        ("user.tags_changed", 1),
        ("user.forgotten", 0),
    ]


async def test_a_position_since_an_instant_tells_everything_from_there(
    runtime: Runtime, channel: Channel, clock: FrozenClock
) -> None:
    before = clock()
    clock.advance(SECOND)
    follower = await follow(runtime, channel)
    gold = await make_tag(runtime, channel, "Gold", "ann")
    await follower.catch_up()
    clock.advance(SECOND)
    since = clock()
    await add_members(runtime, channel, gold, "ben")
    told = await follower.catch_up()
    async with runtime.pool.acquire() as conn:
        assert await position_since(conn, channel.channel_id, before) is None
        position = await position_since(conn, channel.channel_id, since)
        assert position is not None
        after_all = await position_since(conn, channel.channel_id, since + 2 * SECOND)
        assert after_all == await position_now(conn, channel.channel_id)
    follower.position = position
    assert await follower.read() == told


async def test_many_who_open_a_feed_at_once_begin_the_same(runtime: Runtime, channel: Channel) -> None:
    await make_tag(runtime, channel, "Gold", "ann")

    async def begin() -> object:
        async with runtime.pool.acquire() as conn, conn.transaction():
            await open_feed(conn, channel.channel_id, runtime.clock())
            return await position_now(conn, channel.channel_id)

    assert len(set(await asyncio.gather(*(begin() for _ in range(6))))) == 1
    async with runtime.pool.acquire() as conn:
        assert await feeds_behind(conn, 10) == []
        with pytest.raises(LookupError):
            await open_feed(conn, channel.channel_id + 1, runtime.clock())
