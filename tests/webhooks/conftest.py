"""Give tests of calls a certificate authority, a name server and clients that know both."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta

import pytest
import trustme

from service.foundation.clock import system_clock
from service.foundation.settings import WebhookCalls
from service.webhooks.client import WebhookClient
from service.webhooks.names import NameResolver
from tests.webhooks.name_server import NameServer, name_server

ClientMaker = Callable[..., WebhookClient]


@pytest.fixture(scope="session")
def ca() -> trustme.CA:
    """Make an authority that the clients trust."""
    return trustme.CA()


@pytest.fixture
async def names() -> AsyncIterator[NameServer]:
    """Run a name server."""
    async with name_server() as running:
        yield running


@pytest.fixture
async def client_with(ca: trustme.CA, names: NameServer) -> AsyncIterator[ClientMaker]:
    """Make clients, which may call private addresses unless a test says otherwise."""
    async with AsyncExitStack() as stack:

        def make(*, allow_private: bool = True, call_within: float = 10.0, answer_bytes: int = 65_536) -> WebhookClient:
            limits = WebhookCalls(
                allow_private=allow_private, call_within=timedelta(seconds=call_within), answer_bytes=answer_bytes
            )
            trusted = ssl.create_default_context()
            ca.configure_trust(trusted)
            resolver = NameResolver(["127.0.0.1"], port=names.port)
            client = WebhookClient(limits, system_clock, resolver=resolver, trusted=trusted)
            stack.push_async_callback(client.aclose)
            return client

        yield make
