"""Ask `/healthz` whether the process lives, and `/readyz` whether it can do its work."""

from pathlib import Path

import asyncpg
import pytest

from service.dev.stack.servers import start_embedded
from service.web.endpoints import health
from tests.support.waiting import PATIENCE
from tests.support.web import WebClient, web_process


@pytest.fixture
def patient_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take no server for unreachable that is only slow."""
    monkeypatch.setattr(health, "CHECK_TIMEOUT", PATIENCE)


@pytest.mark.usefixtures("patient_checks")
async def test_a_healthy_process(web: WebClient) -> None:
    alive, ready = await web.http.get("/healthz"), await web.http.get("/readyz")

    assert (alive.status_code, alive.json()) == (200, {"status": "ok"})
    assert (ready.status_code, ready.json()) == (200, {"database": "ok", "valkey": "ok", "acting": "on"})


@pytest.mark.usefixtures("patient_checks")
async def test_a_database_that_lacks_migrations_is_not_ready(database_url: str, redis_url: str) -> None:
    async with web_process(database_url, redis_url) as web:
        connection = await asyncpg.connect(database_url)
        try:
            await connection.execute("delete from schema_migration")
        finally:
            await connection.close()
        ready = await web.http.get("/readyz")

        assert ready.status_code == 503
        assert ready.json()["database"].endswith("migrations pending")
        assert (await web.http.get("/healthz")).status_code == 200


async def test_without_the_database_it_is_not_ready(
    accessible_dir: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with start_embedded(accessible_dir, fast=True) as servers:
        async with web_process(servers.database_url, redis_url) as web:
            servers.stop()
            ready, alive = await web.http.get("/readyz"), await web.http.get("/healthz")

            assert (ready.status_code, ready.json()) == (
                503,
                {"database": "unreachable", "valkey": "ok", "acting": "on"},
            )
            assert alive.status_code == 200
    assert [record.getMessage() for record in caplog.records if record.name.startswith("service")] == []


@pytest.mark.usefixtures("patient_checks")
async def test_without_valkey_it_works_and_says_so(database_url: str) -> None:
    async with web_process(database_url, "redis://127.0.0.1:1/0") as web:
        ready = await web.http.get("/readyz")

        assert (ready.status_code, ready.json()) == (200, {"database": "ok", "valkey": "unreachable", "acting": "on"})


async def test_it_says_whether_wechat_is_called(database_url: str, redis_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute("insert into installation values (true, 'https://tags.example.com', now())")
    finally:
        await connection.close()
    async with web_process(database_url, redis_url) as copy, web_process(database_url, redis_url, acting=False) as off:
        answers = [await each.http.get("/readyz") for each in (copy, off)]

    assert [(each.status_code, each.json()["acting"]) for each in answers] == [(200, "unconfirmed"), (200, "off")]
