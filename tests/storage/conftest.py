"""Connect to the migrated database without a pool."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from service.storage.database.pool import Connection


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[Connection]:
    """Connect to this test's database."""
    connection = await asyncpg.connect(database_url, server_settings={"jit": "off", "timezone": "UTC"})
    yield connection
    await connection.close()
