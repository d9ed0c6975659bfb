"""Valkey gone, back, or silent as if a cable were cut."""

import logging
import signal
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from service.entities.enums import EventKind
from service.valkey import listener
from tests.feed.pages import JUST_FOLLOWED, JUST_WROTE, NOTHING, check_chain, page
from tests.feed.processes import FeedProcess, TickingClock, feed_process
from tests.jobs.own_valkey import OwnValkey, own_valkey
from tests.runtimes import bind
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "RECONNECT_DELAY", 0.05)
    monkeypatch.setattr(listener, "PING_INTERVAL", 0.05)
    monkeypatch.setattr(listener, "MAX_SILENCE", 0.3)


@pytest.fixture
async def valkey(place: Path) -> AsyncIterator[OwnValkey]:
    async with own_valkey(place) as running:
        yield running


@pytest.fixture
async def process(database_url: str, valkey: OwnValkey, clock: TickingClock) -> AsyncIterator[FeedProcess]:
    """Run a process on that Valkey which compares versions all the time."""
    async with feed_process(database_url, valkey.url, clock, resync_interval=timedelta(milliseconds=200)) as running:
        yield running


async def test_pages_are_kept_up_while_valkey_is_gone_and_wake_ups_come_again_with_it(
    process: FeedProcess, valkey: OwnValkey, caplog: pytest.LogCaptureFixture
) -> None:
    channel = await bind(process.runtime)
    async with page(process, channel, "ann") as ann:
        await process.happens(channel, EventKind.FOLLOW, "ann")
        await ann.shows(JUST_FOLLOWED)
        await valkey.stop()
        await process.happens(channel, EventKind.MESSAGE, "ann")
        await ann.shows(JUST_WROTE)
        async with page(process, channel, "ann") as opened_meanwhile:
            await opened_meanwhile.shows(JUST_WROTE)
            await valkey.start()
            await wait_until(lambda: valkey.listeners(f"user-tags:wake:{channel.channel_id}"))
            await process.happens(channel, EventKind.UNFOLLOW, "ann")
            await ann.shows(NOTHING)
            await opened_meanwhile.shows(NOTHING)
            check_chain(ann.events)
    warnings = [record.name for record in caplog.records if record.levelno >= logging.WARNING]
    assert warnings.count("service.valkey.listener") == 1, "it is said once, not with every attempt"


async def test_a_valkey_that_falls_silent_is_given_up_and_found_again(
    process: FeedProcess, valkey: OwnValkey, caplog: pytest.LogCaptureFixture
) -> None:
    channel = await bind(process.runtime)
    async with page(process, channel, "ann") as ann:
        await ann.told(1)
        valkey.signal(signal.SIGSTOP)
        await process.happens(channel, EventKind.FOLLOW, "ann")
        await ann.shows(JUST_FOLLOWED)
        await wait_until(lambda: "Valkey is away (TimeoutError)" in caplog.text)
        valkey.signal(signal.SIGCONT)
        await wait_until(lambda: valkey.listeners(f"user-tags:wake:{channel.channel_id}"))
        await process.happens(channel, EventKind.MESSAGE, "ann")
        await ann.shows(JUST_WROTE)
