"""Keep pages up to date when notifications are lost or Valkey is in trouble."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from redis.asyncio import Redis

from service.domain.channels.binding import unbind_channel
from service.entities.channels import Channel
from service.entities.users import EventKind
from service.valkey import listener
from tests.domain.feed.feed_process import FeedProcess, feed_process
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, check_deltas, page
from tests.support.clock import TickingClock
from tests.support.runtime import admin, bind
from tests.support.waiting import wait_until


@pytest.fixture
async def mute(database_url: str, redis_url: str, clock: TickingClock) -> AsyncIterator[FeedProcess]:
    """Run a process whose notifications are all lost."""
    async with feed_process(database_url, redis_url, clock, drop_notifications=True) as process:
        yield process


@pytest.fixture
async def healing(database_url: str, redis_url: str, clock: TickingClock) -> AsyncIterator[FeedProcess]:
    """Run a process that compares versions all the time."""
    async with feed_process(database_url, redis_url, clock, resync_interval=timedelta(milliseconds=100)) as process:
        yield process


@pytest.fixture
async def valkey(redis_url: str) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_url) as connection:
        yield connection


async def test_comparing_versions_finds_what_no_wake_up_told(
    mute: FeedProcess, healing: FeedProcess, channel: Channel
) -> None:
    async with page(healing, channel, "ann") as ann, page(healing, channel, "bob") as bob:
        await mute.record_events_of(channel, EventKind.FOLLOW, "ann")
        await ann.wait_for_tags(JUST_FOLLOWED)
        await mute.record_events_of(channel, EventKind.MESSAGE, "ann")
        await mute.record_events_of(channel, EventKind.FOLLOW, "bob")
        await ann.wait_for_tags(JUST_WROTE)
        await bob.wait_for_tags(JUST_FOLLOWED)
        await unbind_channel(mute.runtime, admin(), channel.channel_id)
        await ann.wait_for_tags(NO_TAGS)
        await bind(mute.runtime, channel.app_id)
        await ann.wait_for_tags(JUST_WROTE)
        check_deltas(ann.events)


async def test_without_comparing_the_next_notification_brings_what_was_missed(
    mute: FeedProcess, west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        await mute.record_events_of(channel, EventKind.MESSAGE, "ann")
        await mute.record_events_of(channel, EventKind.UNFOLLOW, "ann")
        await west.record_events_of(channel, EventKind.MESSAGE, "bob")
        events = await ann.wait_for_events(3)
        assert [event.tags for event in events] == [JUST_FOLLOWED, JUST_WROTE, NO_TAGS]


async def test_a_broken_subscription_is_made_again_and_what_it_missed_is_looked_up(
    mute: FeedProcess, west: FeedProcess, east: FeedProcess, channel: Channel, valkey: Redis
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        await valkey.client_kill_filter(_type="pubsub")
        await mute.record_events_of(channel, EventKind.MESSAGE, "ann")
        await ann.wait_for_tags(JUST_WROTE)
        await west.record_events_of(channel, EventKind.UNFOLLOW, "ann")
        await ann.wait_for_tags(NO_TAGS)


async def test_a_flushed_valkey_changes_nothing(
    west: FeedProcess, east: FeedProcess, channel: Channel, valkey: Redis
) -> None:
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        await valkey.flushall()
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        await ann.wait_for_tags(JUST_FOLLOWED)


async def test_a_silent_but_healthy_subscription_is_left_alone(
    west: FeedProcess,
    channel: Channel,
    valkey: Redis,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(listener, "PING_INTERVAL", 0.02)
    monkeypatch.setattr(listener, "MAX_SILENCE", 1.0)
    async with page(west, channel, "ann") as ann:
        await ann.wait_for_events(1)
        before = await _subscribers(valkey)
        subscribed_for_long = asyncio.get_running_loop().time() + 1.5
        await wait_until(lambda: asyncio.get_running_loop().time() > subscribed_for_long)
        assert await _subscribers(valkey) == before
        assert len(before) == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_page_that_could_not_subscribe_is_subscribed_soon(
    west: FeedProcess, east: FeedProcess, channel: Channel, valkey: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "RECONNECT_DELAY", 0.2)
    await valkey.client_kill_filter(_type="pubsub")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        await wait_until(lambda: _has_subscribers(valkey, channel))
        await west.record_events_of(channel, EventKind.FOLLOW, "ann")
        await ann.wait_for_tags(JUST_FOLLOWED)


async def _subscribers(valkey: Redis) -> set[str]:
    return {client["id"] for client in await valkey.client_list() if client["sub"] != "0"}


async def _has_subscribers(valkey: Redis, channel: Channel) -> bool:
    (_, count), *_ = await valkey.pubsub_numsub(f"user-tags:wake:{channel.channel_id}")
    return bool(count)
