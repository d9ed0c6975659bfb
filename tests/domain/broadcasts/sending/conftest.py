"""Give tests of the ledger a channel whose broadcasts can be looked at."""

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.domain.broadcasts.sending.book import Book


@pytest.fixture
def book(runtime: Runtime, channel: Channel) -> Book:
    """Look at the broadcasts of a channel."""
    return Book(runtime, channel)
