"""Run embedded servers that are real, private and keep their data."""

from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
import redis.asyncio as redis

from service.dev.stack.servers import EmbeddedError, start_embedded
from tests.dev.stack.server_owners import all_exited, copy_initialised_data, process_tree
from tests.support.waiting import wait_until


async def test_data_survives_a_restart(accessible_dir: Path) -> None:
    with start_embedded(accessible_dir / "data") as first:
        connection = await asyncpg.connect(first.database_url)
        await connection.execute("CREATE TABLE kept AS SELECT '标签' AS name")
        await connection.close()
        async with redis.Redis.from_url(first.redis_url) as valkey:
            await valkey.set("kept", "标签")

    with start_embedded(accessible_dir / "data") as second:
        connection = await asyncpg.connect(second.database_url)
        assert await connection.fetchval("SELECT name FROM kept") == "标签"
        await connection.close()
        async with redis.Redis.from_url(second.redis_url, decode_responses=True) as valkey:
            assert await valkey.get("kept") == "标签"


SHARED_BUFFERS = "select setting::int / 128 from pg_settings where name = 'shared_buffers'"


async def test_settings_fit_a_machine_for_development(accessible_dir: Path) -> None:
    with start_embedded(copy_initialised_data(accessible_dir), valkey=False) as servers:
        assert servers.environment() == {"DATABASE_URL": servers.database_url}
        assert servers.redis_url == ""
        connection = await asyncpg.connect(servers.database_url)
        expected = {
            "server_encoding": "UTF8",
            "max_connections": "200",
            "jit": "off",
            "fsync": "on",
            "listen_addresses": "127.0.0.1",
            "TimeZone": "UTC",
        }
        found = {name: await connection.fetchval("SELECT current_setting($1)", name) for name in expected}
        shared_buffers = await connection.fetchval(SHARED_BUFFERS)
        await connection.close()
    assert found == expected
    assert 256 <= shared_buffers <= 4096


async def test_only_loopback_and_only_with_the_password(accessible_dir: Path) -> None:
    with start_embedded(copy_initialised_data(accessible_dir), fast=True) as servers:
        family = process_tree(psutil.Process(servers.pid))
        heard = {
            listening.laddr.ip
            for process in family
            for listening in process.net_connections(kind="all")
            if listening.status == psutil.CONN_LISTEN
        }
        assert heard == {"127.0.0.1"}
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(_with_password(servers.database_url, "guess"))
        async with redis.Redis.from_url(_with_password(servers.redis_url, "guess")) as valkey:
            with pytest.raises(redis.AuthenticationError):
                await valkey.ping()
        words = " ".join(word for process in family for word in process.cmdline())
        for url in (servers.database_url, servers.redis_url):
            assert str(urlsplit(url).password) not in words
    assert (accessible_dir / "postgres.password").stat().st_mode & 0o777 == 0o600
    assert all_exited(family)


async def test_a_server_that_dies_comes_back_on_its_port(accessible_dir: Path) -> None:
    with start_embedded(copy_initialised_data(accessible_dir), fast=True) as servers:
        for child in psutil.Process(servers.pid).children():
            child.kill()

        async def answers() -> bool:
            try:
                connection = await asyncpg.connect(servers.database_url)
                await connection.close()
                async with redis.Redis.from_url(servers.redis_url) as valkey:
                    return bool(await valkey.ping())
            except (OSError, redis.RedisError, asyncpg.PostgresError):
                return False

        assert not await answers()
        await wait_until(answers)


async def test_an_interrupted_first_start_is_begun_again(accessible_dir: Path) -> None:
    (accessible_dir / "postgres.new").mkdir()
    (accessible_dir / "postgres.new" / "PG_VERSION").write_text("18\n")
    with start_embedded(accessible_dir, fast=True, valkey=False) as servers:
        await (await asyncpg.connect(servers.database_url)).close()


def test_a_server_that_cannot_start_shows_its_log(accessible_dir: Path) -> None:
    copy_initialised_data(accessible_dir)
    (accessible_dir / "postgres" / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(EmbeddedError, match=r"database files are incompatible with server"):
        start_embedded(accessible_dir, fast=True, valkey=False)


def _with_password(url: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.username}:{password}@{parts.hostname}:{parts.port}").geturl()
