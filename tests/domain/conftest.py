"""Give every test of the domain a runtime and a bound channel."""

from collections.abc import AsyncIterator

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.support.clock import FrozenClock
from tests.support.runtime import bind, open_runtime


@pytest.fixture
async def runtime(database_url: str, clock: FrozenClock) -> AsyncIterator[Runtime]:
    """Run the domain on this test's database and clock."""
    async with open_runtime(database_url, clock) as running:
        yield running


@pytest.fixture
async def channel(runtime: Runtime) -> Channel:
    """Bind a verified service account."""
    return await bind(runtime)
