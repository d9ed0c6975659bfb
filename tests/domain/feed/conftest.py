"""Give every test two web processes on one database and one Valkey, and a bound channel."""

from collections.abc import AsyncIterator

import pytest

from service.entities.channels import Channel
from tests.domain.feed.feed_process import FeedProcess, feed_process
from tests.support.clock import TickingClock
from tests.support.runtime import bind


@pytest.fixture
def clock() -> TickingClock:
    """Set a clock that never shows the same time twice."""
    return TickingClock()


@pytest.fixture
async def west(database_url: str, redis_url: str, clock: TickingClock) -> AsyncIterator[FeedProcess]:
    """Run the one process."""
    async with feed_process(database_url, redis_url, clock) as process:
        yield process


@pytest.fixture
async def east(database_url: str, redis_url: str, clock: TickingClock) -> AsyncIterator[FeedProcess]:
    """Run the other."""
    async with feed_process(database_url, redis_url, clock) as process:
        yield process


@pytest.fixture
async def channel(west: FeedProcess) -> Channel:
    """Bind a verified service account."""
    return await bind(west.runtime)
