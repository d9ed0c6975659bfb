"""Give up a connection that the server ended, even where nobody says that it is closed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from urllib.parse import urlsplit

import asyncpg
import pytest

from service.storage.database.pool import CONNECTION_LOST, Pool, open_pool

LOOPBACK = "127.0.0.1"


@pytest.fixture
async def proxied_pool(database_url: str) -> AsyncIterator[Pool]:
    """Open a pool behind a network that forwards what the server says, but not that it hung up."""
    target, writers, tasks = urlsplit(database_url), list[asyncio.StreamWriter](), set[asyncio.Task[None]]()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while data := await reader.read(65_536):
                writer.write(data)

    async def forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(target.hostname, target.port)
        writers.extend((writer, far_writer))
        tasks.update((asyncio.create_task(pump(far_reader, writer)), asyncio.create_task(pump(reader, far_writer))))

    server = await asyncio.start_server(forward, LOOPBACK, 0)
    port = server.sockets[0].getsockname()[1]
    address = target._replace(netloc=f"{target.netloc.rpartition(':')[0]}:{port}")
    pool = await open_pool(address.geturl(), size=3)
    yield pool
    pool.terminate()
    server.close()
    for writer in writers:
        writer.transport.abort()
    await asyncio.wait(tasks)


async def end_all(database_url: str, pids: set[int]) -> None:
    """End backends as a restart of the server does."""
    admin = await asyncpg.connect(database_url)
    try:
        for pid in pids:
            assert await admin.fetchval("select pg_terminate_backend($1, 5000)", pid)
    finally:
        await admin.close()


async def run_statement(pool: Pool, *, in_transaction: bool) -> None:
    async with pool.acquire() as conn:
        if in_transaction:
            async with conn.transaction():
                await conn.fetchval("select $1::int", 1)
        else:
            await conn.fetchval("select $1::int", 1)


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_after_one_statement_failed_no_other_meets_what_the_server_ended(
    proxied_pool: Pool, database_url: str, in_transaction: bool
) -> None:
    held = [await proxied_pool.acquire() for _ in range(3)]
    pids = {await each.fetchval("select pg_backend_pid()") for each in held}
    for each in held:
        await proxied_pool.release(each)
    await end_all(database_url, pids)

    with pytest.raises(CONNECTION_LOST):
        await run_statement(proxied_pool, in_transaction=in_transaction)

    held = [await proxied_pool.acquire() for _ in range(3)]
    new = {await each.fetchval("select pg_backend_pid()") for each in held}
    assert len(new) == 3
    assert not new & pids
    for each in held:
        await proxied_pool.release(each)
