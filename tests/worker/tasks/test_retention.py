"""Forget old changes once an hour."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from service.domain.channels.binding import unbind_channel
from service.domain.events.recorder import record_events
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.users import EventKind, UserEvent
from service.foundation.settings import Settings
from service.worker.tasks.retention import prune_channels
from tests.support.clock import FrozenClock
from tests.support.database_state import tags_by_openid
from tests.support.runtime import admin, bind, open_runtime

DAY = timedelta(days=1)
LOGS = ("user_tag_change", "bulk_tag_change", "tag_change")


@pytest.fixture
async def runtime(database_url: str, clock: FrozenClock) -> AsyncIterator[Runtime]:
    """Keep the change log for three days."""
    settings = replace(Settings(), change_log_retention=3 * DAY)
    async with open_runtime(database_url, clock, settings=settings) as running:
        yield running


async def _happens(runtime: Runtime, channel: Channel, kind: EventKind, *openids: str) -> None:
    await record_events(runtime, channel, [UserEvent(openid, kind, runtime.clock()) for openid in openids])


async def _kept(runtime: Runtime) -> dict[str, int]:
    return {name: await runtime.pool.fetchval(f"select count(*) from {name}") for name in LOGS}  # noqa: S608


async def test_changes_older_than_the_retention_are_forgotten_and_tags_stay(
    runtime: Runtime, clock: FrozenClock
) -> None:
    channel, other = await bind(runtime), await bind(runtime)
    crowd = [f"person-{number}" for number in range(70)]
    await _happens(runtime, channel, EventKind.FOLLOW, "ann")
    await _happens(runtime, channel, EventKind.FOLLOW, *crowd)
    clock.advance(2 * DAY)
    await _happens(runtime, channel, EventKind.MESSAGE, "ann")
    await _happens(runtime, other, EventKind.FOLLOW, "bob")
    await unbind_channel(runtime, admin(), other.channel_id)
    before = await tags_by_openid(runtime, channel)
    await prune_channels({"runtime": runtime})
    assert (await _kept(runtime))["user_tag_change"] == 3
    clock.advance(2 * DAY)
    await prune_channels({"runtime": runtime})
    assert await _kept(runtime) == {"user_tag_change": 2, "bulk_tag_change": 0, "tag_change": 1}
    clock.advance(2 * DAY)
    await prune_channels({"runtime": runtime})
    assert await _kept(runtime) == {"user_tag_change": 0, "bulk_tag_change": 0, "tag_change": 0}
    assert await tags_by_openid(runtime, channel) == before


async def test_pruning_again_changes_nothing(runtime: Runtime, clock: FrozenClock) -> None:
    channel = await bind(runtime)
    await _happens(runtime, channel, EventKind.FOLLOW, "ann")
    clock.advance(4 * DAY)
    await prune_channels({"runtime": runtime})
    heads = await runtime.pool.fetch("select * from block_head")
    states = await runtime.pool.fetch("select * from channel_state")
    await prune_channels({"runtime": runtime})
    assert await runtime.pool.fetch("select * from block_head") == heads
    assert await runtime.pool.fetch("select * from channel_state") == states
    assert [(head["version"], head["base_version"]) for head in heads] == [(1, 1)]


async def test_a_channel_that_cannot_be_pruned_does_not_hold_up_the_others(
    runtime: Runtime, clock: FrozenClock
) -> None:
    broken, fine = await bind(runtime), await bind(runtime)
    for channel in (broken, fine):
        await _happens(runtime, channel, EventKind.FOLLOW, "ann")
    clock.advance(4 * DAY)
    await runtime.pool.execute("delete from channel_state where channel_id = $1", broken.channel_id)
    await prune_channels({"runtime": runtime})
    left = await runtime.pool.fetch("select channel_id from user_tag_change")
    assert [row["channel_id"] for row in left] == [broken.channel_id]
