"""Open a page while its block is being read: each race is made to happen by locks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import asyncpg
import pytest
from asyncpg.transaction import Transaction

from service.domain.feed.position_reader import PositionKey, make_position_reader
from service.domain.feed.subscriber import Subscriber
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import EventKind
from service.foundation.batch_reader import BatchReader
from service.storage.database.pool import Pool
from service.storage.feed import Position
from tests.domain.feed.feed_process import FeedProcess
from tests.domain.feed.open_page import JUST_FOLLOWED, JUST_WROTE, NO_TAGS, page
from tests.domain.feed.tag_changes import change_tags, hide
from tests.support.runtime import counted_statements
from tests.support.waiting import wait_until

WAITING = "select count(*) from pg_locks where not granted and relation = 'bulk_tag_change'::regclass"


class HeldReads:
    """Keep positions back, once they are read, until the test lets them through."""

    def __init__(self, pool: Pool) -> None:
        self.answered = asyncio.Event()
        self.released = asyncio.Event()
        self.reader = BatchReader(self._read)
        self._positions = make_position_reader(pool)

    async def _read(self, keys: list[PositionKey]) -> dict[PositionKey, Position]:
        found = {key: await self._positions.require(key) for key in keys}
        self.answered.set()
        await self.released.wait()
        return found


@pytest.fixture
async def operator(database_url: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Lock the log of bulk changes now and then: reading the log waits for it, small changes and pages do not."""
    connection = await asyncpg.connect(database_url)
    yield connection
    await connection.close()


async def _log_locked(operator: "asyncpg.Connection[asyncpg.Record]") -> Transaction:
    lock = operator.transaction()
    await lock.start()
    await operator.execute("lock table bulk_tag_change in access exclusive mode")
    return lock


async def _reading_waits(operator: "asyncpg.Connection[asyncpg.Record]") -> None:
    async def waits() -> bool:
        return bool(await operator.fetchval(WAITING))

    await wait_until(waits)


async def test_whoever_joins_during_a_read_is_read_for_too(
    west: FeedProcess, east: FeedProcess, channel: Channel, operator: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        lock = await _log_locked(operator)
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        await _reading_waits(operator)
        async with page(east, channel, "bob") as bob:
            await bob.wait_for_events(1)
            await west.record_events_of(channel, EventKind.MESSAGE, "bob")
            await lock.rollback()
            assert [event.tags for event in await bob.wait_for_events(2)] == [JUST_FOLLOWED, JUST_WROTE]
        await ann.wait_for_tags(JUST_WROTE)


async def test_a_page_that_joins_ahead_of_the_block_is_not_sent_what_is_in_the_first_set(
    west: FeedProcess, east: FeedProcess, channel: Channel, operator: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    await west.record_events_of(channel, EventKind.UNFOLLOW, "ann", "bob")
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        lock = await _log_locked(operator)
        await west.record_events_of(channel, EventKind.FOLLOW, "bob")
        await west.record_events_of(channel, EventKind.UNFOLLOW, "bob")
        await _reading_waits(operator)
        async with page(east, channel, "bob") as bob:
            assert (await bob.wait_for_events(1))[0].tags == NO_TAGS
            await lock.rollback()
            await west.record_events_of(channel, EventKind.MESSAGE, "ann")
            await ann.wait_for_tags(JUST_WROTE)
            await west.record_events_of(channel, EventKind.FOLLOW, "bob")
            assert [event.tags for event in await bob.wait_for_events(2)] == [NO_TAGS, JUST_FOLLOWED]


async def test_whoever_read_before_the_block_moved_on_reads_again(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        watch = east.hub._watches[channel.channel_id]
        bob = Subscriber(channel.channel_id, "bob")
        held = HeldReads(east.runtime.pool)
        joining = asyncio.create_task(watch.join(held.reader, bob))
        await held.answered.wait()
        await west.record_events_of(channel, EventKind.MESSAGE, "ann", "bob")
        await ann.wait_for_tags(JUST_WROTE)
        held.released.set()
        place, _ = await joining
        assert place is not None
        assert (place.revision.version, DefaultTagRule.OPENED in place.tag_ids) == (2, True)
        watch.leave(bob)


async def test_a_page_that_read_before_a_notification_reached_nobody_catches_up(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann")
    async with page(east, channel, "nobody") as nobody:
        await nobody.wait_for_events(1)
        watch = east.hub._watches[channel.channel_id]
        ann = Subscriber(channel.channel_id, "ann")
        held = HeldReads(east.runtime.pool)
        joining = asyncio.create_task(watch.join(held.reader, ann))
        await held.answered.wait()
        await west.record_events_of(channel, EventKind.MESSAGE, "ann")
        async with page(east, channel, "eve") as eve:
            # Once eve is known, the notification for ann has come and found nobody.
            await west.record_events_of(channel, EventKind.FOLLOW, "eve")
            await eve.wait_for_tags(JUST_FOLLOWED)
        held.released.set()
        _, catalogue = await joining
        ann.snapshot(catalogue)
        assert (await asyncio.wait_for(ann.mailbox.get(), 10)).tags == JUST_WROTE
        watch.leave(ann)


async def test_whoever_read_before_the_tag_states_moved_on_reads_again(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    await west.record_events_of(channel, EventKind.FOLLOW, "ann", "bob")
    async with page(east, channel, "ann") as ann:
        await ann.wait_for_events(1)
        watch = east.hub._watches[channel.channel_id]
        bob = Subscriber(channel.channel_id, "bob")
        held = HeldReads(east.runtime.pool)
        joining = asyncio.create_task(watch.join(held.reader, bob))
        await held.answered.wait()
        version = await change_tags(west, channel, [hide(DefaultTagRule.NEW_USER)])
        await ann.wait_for_events(2)
        held.released.set()
        _, catalogue = await joining
        assert catalogue.revision.version == version
        assert bob.snapshot(catalogue).tags == ann.tags
        watch.leave(bob)


async def test_pages_that_open_together_are_read_together(
    west: FeedProcess, east: FeedProcess, channel: Channel
) -> None:
    people = [f"person {number}" for number in range(120)]
    await west.record_events_of(channel, EventKind.FOLLOW, *people[::2])
    async with AsyncExitStack() as pages:
        sent = pages.enter_context(counted_statements())
        opened = [await pages.enter_async_context(page(east, channel, person)) for person in people]
        for number, each in enumerate(opened):
            (first,) = await each.wait_for_events(1)
            assert first.tags == (NO_TAGS if number % 2 else JUST_FOLLOWED)
        assert 0 < sent.count("read_positions") < len(people) / 2
