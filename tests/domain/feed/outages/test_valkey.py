"""Keep the feed going while Valkey is gone, back, or silent as if a cable were cut."""

import logging
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.entities.users import EventKind
from service.valkey import listener
from tests.domain.feed.feed_process import FeedProcess, feed_process
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, check_deltas, page
from tests.support.clock import TickingClock
from tests.support.runtime import bind
from tests.support.servers import PrivateValkey, private_valkey
from tests.support.waiting import PATIENCE, wait_until


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "RECONNECT_DELAY", 0.05)
    monkeypatch.setattr(listener, "PING_INTERVAL", 0.05)
    # Not sooner than it takes: a machine that stands still for a moment is no silent Valkey.
    monkeypatch.setattr(listener, "MAX_SILENCE", PATIENCE)


@pytest.fixture
async def valkey(accessible_dir: Path) -> AsyncIterator[PrivateValkey]:
    async with private_valkey(accessible_dir) as running:
        yield running


@pytest.fixture
async def process(database_url: str, valkey: PrivateValkey, clock: TickingClock) -> AsyncIterator[FeedProcess]:
    """Run a process on that Valkey which compares versions all the time."""
    async with feed_process(database_url, valkey.url, clock, resync_interval=timedelta(milliseconds=200)) as running:
        yield running


async def test_pages_are_kept_up_while_valkey_is_gone_and_notified_again_with_it(
    process: FeedProcess, valkey: PrivateValkey, caplog: pytest.LogCaptureFixture
) -> None:
    channel = await bind(process.runtime)
    async with page(process, channel, "ann") as ann:
        await process.record_events_of(channel, EventKind.FOLLOW, "ann")
        await ann.wait_for_tags(JUST_FOLLOWED)
        await valkey.stop()
        await process.record_events_of(channel, EventKind.MESSAGE, "ann")
        await ann.wait_for_tags(JUST_WROTE)
        async with page(process, channel, "ann") as opened_meanwhile:
            await opened_meanwhile.wait_for_tags(JUST_WROTE)
            await valkey.start()
            await wait_until(lambda: valkey.subscriber_count(f"user-tags:wake:{channel.channel_id}"))
            await process.record_events_of(channel, EventKind.UNFOLLOW, "ann")
            await ann.wait_for_tags(NO_TAGS)
            await opened_meanwhile.wait_for_tags(NO_TAGS)
            check_deltas(ann.events)
    warnings = [record.name for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings.count("service.valkey.listener") == 1, "it is said once, not with every attempt"


async def test_a_valkey_that_falls_silent_is_given_up_and_found_again(
    process: FeedProcess, valkey: PrivateValkey, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listener, "MAX_SILENCE", 0.3)
    channel = await bind(process.runtime)
    async with page(process, channel, "ann") as ann:
        await ann.wait_for_events(1)
        valkey.signal(signal.SIGSTOP)
        await process.record_events_of(channel, EventKind.FOLLOW, "ann")
        await ann.wait_for_tags(JUST_FOLLOWED)
        await wait_until(lambda: "Valkey is away (TimeoutError)" in caplog.text)
        valkey.signal(signal.SIGCONT)
        await wait_until(lambda: valkey.subscriber_count(f"user-tags:wake:{channel.channel_id}"))
        await process.record_events_of(channel, EventKind.MESSAGE, "ann")
        await ann.wait_for_tags(JUST_WROTE)
