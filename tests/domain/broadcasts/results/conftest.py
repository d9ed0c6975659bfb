"""Give tests of results a channel whose broadcasts were sent, and can be looked at."""

import pytest

from service.domain.runtime import Runtime
from service.entities.channels import Channel
from tests.domain.broadcasts.results.sent import SentMessages
from tests.domain.broadcasts.sending.book import Book


@pytest.fixture
def sent(runtime: Runtime, channel: Channel) -> SentMessages:
    """Send broadcasts of a channel, without calling anybody."""
    return SentMessages(Book(runtime, channel))
