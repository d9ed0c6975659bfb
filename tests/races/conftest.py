"""Bind a channel, and start processes that race for it."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.foundation.clock import Clock
from service.foundation.settings import Settings
from tests.support.clock import FrozenClock
from tests.support.races import RacingProcess, StartRacingProcess, start_racing_process
from tests.support.runtime import bind, open_runtime


@pytest.fixture
async def runtime(database_url: str, clock: FrozenClock) -> AsyncIterator[Runtime]:
    """Run the domain aside from the race: to prepare it, and to look at its outcome."""
    async with open_runtime(database_url, clock) as running:
        yield running


@pytest.fixture
async def channel(runtime: Runtime) -> Channel:
    """Bind a verified service account."""
    return await bind(runtime)


@pytest.fixture
async def start_process(database_url: str, clock: FrozenClock) -> AsyncIterator[StartRacingProcess]:
    """Start a racing process; all of them end with the test."""
    shared_clock = clock
    async with AsyncExitStack() as stack:

        async def start(
            name: str,
            *,
            clock: Clock | None = None,
            settings: Settings | None = None,
            weakened: Mapping[str, str] | None = None,
            transactions: bool = True,
        ) -> RacingProcess:
            return await stack.enter_async_context(
                start_racing_process(
                    database_url,
                    name,
                    clock=clock or shared_clock,
                    settings=settings or Settings(),
                    weakened=weakened or {},
                    transactions=transactions,
                )
            )

        yield start
