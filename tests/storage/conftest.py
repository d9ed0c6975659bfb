"""Connect to the migrated database without a pool, or to one that is still empty."""

import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.dev.stack.servers import EmbeddedServers
from service.storage.database.pool import Connection


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[Connection]:
    """Connect to this test's database."""
    connection = await asyncpg.connect(database_url, server_settings={"jit": "off", "timezone": "UTC"})
    yield connection
    await connection.close()


@pytest.fixture
async def empty_url(servers: EmbeddedServers) -> AsyncIterator[str]:
    """Make a database with nothing in it."""
    name = f"empty_{uuid.uuid4().hex[:12]}"
    admin = await asyncpg.connect(servers.database_url)
    await admin.execute(f"create database {name}")
    yield urlsplit(servers.database_url)._replace(path=f"/{name}").geturl()
    await admin.execute(f"drop database {name} with (force)")
    await admin.close()
