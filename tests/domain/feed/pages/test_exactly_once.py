"""Deliver each change once and in order to pages that open, close and come back under many writers."""

import asyncio
import random
from collections.abc import Callable
from datetime import timedelta

import pytest

from service.domain.default_tags.scheduled_run import run_default_tags
from service.entities.channels import Channel
from service.entities.feed import UserTagsUpdate
from service.entities.users import EventKind
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.logged_changes import changes_of
from tests.domain.feed.open_page import NO_TAGS, Page, block_version, check_deltas
from tests.support.waiting import wait_until

PEOPLE = [f"person-{number}" for number in range(10)]
KINDS = (EventKind.FOLLOW, EventKind.FOLLOW, EventKind.UNFOLLOW, EventKind.MESSAGE, EventKind.MENU_CLICK)
WRITES = 45


@pytest.mark.parametrize("seed", [1, 2])
async def test_every_change_arrives_once_and_in_order_wherever_the_page_is_open(
    west: FeedProcess, east: FeedProcess, channel: Channel, seed: int
) -> None:
    rng = random.Random(seed)
    both = (west, east)
    await west.record_events_of(channel, EventKind.FOLLOW, *PEOPLE[:6])
    writing = [asyncio.create_task(_write(rng, both, channel, moves_time=number == 0)) for number in range(4)]
    storm = asyncio.gather(*writing)
    readers = [_Wanderer(rng, both, channel, openid) for openid in PEOPLE for _ in range(2)]
    await asyncio.gather(*(reader.wander_until(storm) for reader in readers))
    await storm
    for reader in readers:
        await reader.check(west)


async def _write(
    rng: random.Random, both: tuple[FeedProcess, FeedProcess], channel: Channel, *, moves_time: bool
) -> None:
    for _ in range(WRITES):
        process = rng.choice(both)
        await process.record_events_of(channel, rng.choice(KINDS), *rng.sample(PEOPLE, rng.randint(1, 4)))
        if moves_time and rng.random() < 0.2:
            process.clock.advance(timedelta(minutes=70))
            await run_default_tags(process.runtime, channel)


class _Wanderer:
    """Read some events, leave, and come back to the other process with the cursor."""

    def __init__(
        self, rng: random.Random, both: tuple[FeedProcess, FeedProcess], channel: Channel, openid: str
    ) -> None:
        self._rng, self._both, self._channel, self._openid = rng, both, channel, openid
        self._events: list[UserTagsUpdate] = []
        self._cursor: str | None = None
        self._stops = 0

    async def wander_until(self, storm: "asyncio.Future[list[None]]") -> None:
        while not storm.done():
            wanted = self._rng.randint(1, 7)
            await self._visit(lambda page, wanted=wanted: storm.done() or len(page.events) >= wanted)  # type: ignore[misc]
        lines = await changes_of(self._both[0], self._channel, self._openid)
        last = lines[-1].version
        await self._visit(lambda page: max(self._version, _version_of(page.events)) >= last)

    @property
    def _version(self) -> int:
        return _version_of(self._events)

    async def _visit(self, enough: Callable[[Page], bool]) -> None:
        page = Page(self._both[self._stops % 2], self._channel, self._openid, self._cursor)
        self._stops += 1
        try:
            await wait_until(lambda: enough(page), within=60)
        finally:
            await page.close()
        self._events += page.events
        if page.events:
            self._cursor = page.cursor

    async def check(self, process: FeedProcess) -> None:
        first, *later = self._events
        assert first.reset
        assert not any(event.reset for event in later)
        check_deltas(self._events)
        start = block_version(first)
        if start is None:
            # Unknown at first: what made the person known comes as one event.
            known, *later = later
            assert known.tags == known.added
            start = block_version(known)
        lines = [
            line
            for line in await changes_of(process, self._channel, self._openid)
            if line.version > (0 if start is None else start)
        ]
        assert [(event.at, event.cause, event.added, event.removed) for event in later] == [
            (line.at, line.cause, line.added, line.removed) for line in lines
        ]
        assert self._stops >= 2, "it came back at least once"


def _version_of(events: list[UserTagsUpdate]) -> int:
    return max((block_version(event) or 0 for event in events), default=0)


async def test_a_page_opened_while_its_block_moves_misses_nothing(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, *PEOPLE)
    pages: list[Page] = []

    async def write(process: FeedProcess) -> None:
        for turn in range(30):
            await process.record_events_of(channel, EventKind.UNFOLLOW if turn % 2 else EventKind.FOLLOW, *PEOPLE[:3])

    async def join(process: FeedProcess) -> None:
        for number in range(60):
            pages.append(Page(process, channel, PEOPLE[number % 3]))
            await asyncio.sleep(0)

    await asyncio.gather(write(west), write(east), join(west), join(east))
    try:
        await _check_joined(west, channel, pages)
    finally:
        await asyncio.gather(*(opened.close() for opened in pages))


async def _check_joined(process: FeedProcess, channel: Channel, pages: list[Page]) -> None:
    logged = {openid: await changes_of(process, channel, openid) for openid in PEOPLE[:3]}
    for opened in pages:
        await opened.wait_for_events(1)
        lines = logged[opened.openid]
        start = block_version(opened.events[0])
        assert start is not None
        missed = [line for line in lines if line.version > start]
        events = await opened.wait_for_events(1 + len(missed))
        before = [line for line in lines if line.version <= start]
        tags = NO_TAGS
        for line in before:
            tags = (tags | line.added) - line.removed
        assert events[0].tags == tags
        assert [(block_version(event), event.added, event.removed) for event in events[1:]] == [
            (line.version, line.added, line.removed) for line in missed
        ]
