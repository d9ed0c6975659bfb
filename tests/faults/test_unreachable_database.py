"""Wait neither for ever nor in others' way when the network loses everything sent to the database."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import urlsplit

import asyncpg
import pytest
from redis.asyncio import Redis

from service.storage.database import pool as database
from service.storage.database.pool import CONNECTION_LOST, Pool, open_pool
from service.web.endpoints import health
from tests.faults.harness.proxy import Proxy
from tests.support.servers import free_port
from tests.support.waiting import PATIENCE, wait_until

AGES: Final = 600.0
ANSWERED_WITHIN: Final = 2.0
LOCK: Final = "select from robot where robot_id = 'r1' for update"
FIRST: Final = "insert into robot (robot_id, created_at) values ('r1', now())"


@pytest.fixture
async def network(database_url: str) -> AsyncIterator[Proxy]:
    port = urlsplit(database_url).port
    assert port is not None
    proxy = Proxy(free_port(), port)
    await proxy.start()
    yield proxy
    await proxy.close()


@pytest.fixture
def far(database_url: str, network: Proxy, monkeypatch: pytest.MonkeyPatch) -> str:
    """Say where the database is behind the network, and have everybody lose patience soon."""
    monkeypatch.setattr(database, "CONNECT_TIMEOUT", 1)
    monkeypatch.setattr(database, "CANCEL_TIMEOUT", 0.2)
    monkeypatch.setitem(database.SERVER_SETTINGS, "idle_in_transaction_session_timeout", "1s")
    there = urlsplit(database_url)
    return there._replace(netloc=there.netloc.rpartition(":")[0] + f":{network.port}").geturl()


@pytest.fixture
async def pool(far: str) -> AsyncIterator[Pool]:
    pool = await open_pool(far, size=1, answer_timeout=ANSWERED_WITHIN)
    yield pool
    pool.terminate()


@pytest.fixture
async def two(far: str) -> AsyncIterator[Pool]:
    pool = await open_pool(far, size=2, answer_timeout=ANSWERED_WITHIN)
    yield pool
    pool.terminate()


@asynccontextmanager
async def out_of_reach(network: Proxy) -> AsyncIterator[None]:
    losing = asyncio.create_task(network.blackhole(AGES))
    await asyncio.sleep(0)
    try:
        yield
    finally:
        losing.cancel()
        await asyncio.wait({losing})


async def test_a_statement_that_is_never_answered_fails_and_frees_its_place(pool: Pool, network: Proxy) -> None:
    async with out_of_reach(network), asyncio.timeout(PATIENCE):
        with pytest.raises(CONNECTION_LOST):
            async with pool.acquire() as conn, conn.transaction():
                await conn.fetchval("select 1")
    async with asyncio.timeout(PATIENCE):
        assert await pool.fetchval("select 2") == 2


async def test_connections_that_rested_meanwhile_are_made_anew(two: Pool, network: Proxy) -> None:
    """Nobody has to find out by waiting that they lead nowhere."""
    async with two.acquire(), two.acquire():
        pass
    async with out_of_reach(network):
        with pytest.raises(CONNECTION_LOST):
            await two.fetchval("select 1")
    # One that leads nowhere would raise: nothing is ever heard on it again.
    async with asyncio.timeout(PATIENCE), two.acquire() as first, two.acquire() as second:
        assert [await first.fetchval("select 1"), await second.fetchval("select 2")] == [1, 2]


async def test_the_locks_of_a_process_that_is_out_of_reach_are_released(
    pool: Pool, network: Proxy, database_url: str
) -> None:
    somebody_else = await asyncpg.connect(database_url)
    await somebody_else.execute(FIRST)
    async with pool.acquire() as conn:
        await conn.execute("begin")
        await conn.execute(LOCK)
        async with out_of_reach(network), asyncio.timeout(PATIENCE):
            await somebody_else.execute(LOCK)
        conn.terminate()
    await somebody_else.close()


async def test_readiness_is_told_soon_though_nothing_answers(
    far: str, network: Proxy, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long a statement may take, and a connection that has been given up."""
    monkeypatch.setattr(health, "CHECK_TIMEOUT", 0.3)
    monkeypatch.setattr(database, "CANCEL_TIMEOUT", AGES)
    pool = await open_pool(far, size=1, answer_timeout=AGES)
    async with Redis.from_url(redis_url) as valkey:

        async def is_reachable() -> bool:
            return (await health.check_servers(pool, valkey))["database"] == "ok"

        assert await is_reachable()
        async with out_of_reach(network), asyncio.timeout(PATIENCE):
            assert not await is_reachable()
        await wait_until(is_reachable)
    pool.terminate()


@pytest.mark.skipif(sys.platform != "linux", reason="TCP_USER_TIMEOUT is Linux's")
async def test_the_kernel_asks_a_silent_server_for_a_sign_of_life(pool: Pool) -> None:
    async with pool.acquire() as conn:
        way = conn._transport.get_extra_info("socket")  # type: ignore[attr-defined]
        assert way.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert way.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 5
        assert way.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 15_000
