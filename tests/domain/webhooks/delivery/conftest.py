"""Give every test of deliveries what delivers and a receiver."""

from collections.abc import AsyncIterator

import pytest

from service.entities.channels import Channel
from tests.domain.webhooks.delivery.office import Office, open_office
from tests.support.clock import FrozenClock
from tests.support.runtime import bind


@pytest.fixture
async def office(database_url: str, clock: FrozenClock) -> AsyncIterator[Office]:
    """Open what delivers."""
    async with open_office(database_url, clock) as running:
        yield running


@pytest.fixture
async def channel(office: Office) -> Channel:
    """Bind a verified service account."""
    return await bind(office.runtime)
