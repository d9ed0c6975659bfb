"""Keep a conversation page open and note all its events."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress

from service.domain.feed.cursors import encode_cursor
from service.entities.channels import Channel
from service.entities.feed import UserTagsUpdate
from service.entities.tags import DefaultTagRule
from tests.domain.feed.feed_process import FeedProcess
from tests.support.waiting import PATIENCE, wait_until

NEW, OLD, OPENED, NOT_OPENED, TOUCHABLE, UNTOUCHABLE, ADVERTISING, NON_ADVERTISING = (
    frozenset({rule.value}) for rule in DefaultTagRule
)
JUST_FOLLOWED = NEW | NOT_OPENED | TOUCHABLE | NON_ADVERTISING
JUST_WROTE = NEW | OPENED | TOUCHABLE | NON_ADVERTISING
NO_TAGS: frozenset[int] = frozenset()


def block_version(event: UserTagsUpdate) -> int | None:
    """Return the version of the block that an event's cursor holds; None while the person is unknown."""
    revision = event.cursor.block_revision
    return None if revision is None else revision.version


class Page:
    """Read events as fast as they come, into `events`."""

    def __init__(self, process: FeedProcess, channel: Channel, openid: str, after: str | None = None) -> None:
        self.openid = openid
        self.events: list[UserTagsUpdate] = []
        self._stream = process.hub.user_tags(channel.channel_id, openid, after)
        self._reading = asyncio.create_task(self._read(), name=f"page of {openid}")

    @property
    def tags(self) -> frozenset[int] | None:
        """Return what the page shows; None before the first event."""
        return self.events[-1].tags if self.events else None

    @property
    def cursor(self) -> str:
        return encode_cursor(self.events[-1].cursor)

    async def wait_for_events(self, count: int, within: float = PATIENCE) -> list[UserTagsUpdate]:
        """Wait for so many events, and return all there are."""
        await wait_until(lambda: self._alive() and len(self.events) >= count, within=within)
        return self.events

    async def wait_for_tags(self, tags: frozenset[int], within: float = PATIENCE) -> None:
        await wait_until(lambda: self._alive() and self.tags == tags, within=within)

    async def close(self) -> None:
        self._reading.cancel()
        with suppress(asyncio.CancelledError):
            await self._reading

    def _alive(self) -> bool:
        if self._reading.done():
            self._reading.result()
        return True

    async def _read(self) -> None:
        async with aclosing(self._stream) as stream:
            async for event in stream:
                self.events.append(event)


@asynccontextmanager
async def page(process: FeedProcess, channel: Channel, openid: str, after: str | None = None) -> AsyncIterator[Page]:
    """Open a page, and close it in the end."""
    opened = Page(process, channel, openid, after)
    try:
        yield opened
    finally:
        await opened.close()


def check_deltas(events: list[UserTagsUpdate]) -> None:
    """Check that each event says exactly what is different from the one before."""
    for before, after in itertools.pairwise(events):
        if after.reset:
            assert (after.added, after.removed, after.cause) == (after.tags, NO_TAGS, None)
            continue
        assert after.added == after.tags - before.tags
        assert after.removed == before.tags - after.tags
        assert after.updated <= before.tags & after.tags
        assert after.added or after.removed or after.updated, "an event that says nothing"
