"""The worker in a process of its own: what it does by the clock, and what it survives."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path

import redis.asyncio as redis

from tests.jobs.conftest import TeaHouse
from tests.jobs.own_valkey import own_valkey
from tests.real_processes import command, environment, run_to_end, worker
from tests.waiting import wait_until


async def test_the_scheduled_run_comes_every_second(tea_house: TeaHouse, tmp_path: Path) -> None:
    async with worker(tea_house.environment, tmp_path / "worker.log"):
        for number in range(3):
            openid = f"person-{number}"
            await tea_house.follows(openid)
            assert await tea_house.is_touchable(openid)
            tea_house.an_hour_passes()
            await wait_until(lambda openid=openid: tea_house.is_untouchable(openid), within=15)  # type: ignore[misc]
        assert await tea_house.is_right()


async def test_two_workers_do_no_harm(tea_house: TeaHouse, tmp_path: Path) -> None:
    async with (
        worker(tea_house.environment, tmp_path / "first.log") as first,
        worker(tea_house.environment, tmp_path / "second.log") as second,
    ):
        await first.says("Starting worker")
        await second.says("Starting worker")
        tea_house.an_hour_passes()
        await wait_until(tea_house.is_untouchable, within=15)
        tea_house.time.advance(timedelta(hours=48))
        await wait_until(lambda: _has(tea_house, 3), within=15)
        assert await tea_house.is_right()
        assert first.alive
        assert second.alive
    assert await tea_house.changes() == 3, "follow, untouchable, old: each written once"


async def _has(house: TeaHouse, changes: int) -> bool:
    return await house.changes() >= changes


async def test_a_worker_that_starts_after_hours_of_downtime_catches_up_at_once(
    tea_house: TeaHouse, tmp_path: Path
) -> None:
    tea_house.time.advance(timedelta(hours=60))
    assert await tea_house.is_touchable()
    rarely = tea_house.environment | {"USER_TAGS_DEFAULT_TAGS_EVERY": "1d"}
    async with worker(rarely, tmp_path / "worker.log"):
        await wait_until(tea_house.is_untouchable, within=15)
        assert await tea_house.is_right()


async def test_a_killed_worker_is_replaced_by_the_next(tea_house: TeaHouse, tmp_path: Path) -> None:
    async with worker(tea_house.environment, tmp_path / "first.log") as first:
        await first.says("Starting worker")
        tea_house.an_hour_passes()
        await first.kill()
    async with worker(tea_house.environment, tmp_path / "second.log"):
        await wait_until(tea_house.is_untouchable, within=15)
        await tea_house.follows("bob")
        tea_house.an_hour_passes()
        await wait_until(lambda: tea_house.is_untouchable("bob"), within=15)
        assert await tea_house.is_right()


async def test_the_worker_waits_for_valkey_and_goes_on(tea_house: TeaHouse, place: Path, tmp_path: Path) -> None:
    async with (
        own_valkey(place) as valkey,
        worker(tea_house.environment | {"REDIS_URL": valkey.url}, tmp_path / "worker.log") as running,
    ):
        await running.says("Starting worker")
        async with redis.Redis.from_url(valkey.url) as connection:
            await connection.flushall()
        tea_house.an_hour_passes()
        await wait_until(tea_house.is_untouchable, within=15)
        await valkey.stop()
        await running.says("waits for Valkey")
        await tea_house.follows("bob")
        tea_house.an_hour_passes()
        await valkey.start()
        await wait_until(lambda: tea_house.is_untouchable("bob"), within=20)
        assert running.alive


async def test_a_worker_that_starts_before_valkey_waits_for_it(tea_house: TeaHouse, tmp_path: Path) -> None:
    nowhere = tea_house.environment | {"REDIS_URL": "redis://127.0.0.1:9"}
    async with worker(nowhere, tmp_path / "worker.log") as running:
        await running.says("waits for Valkey")
        assert await running.terminate(within=5) == 0


async def test_a_worker_that_is_told_to_stop_does_so_at_once(tea_house: TeaHouse, tmp_path: Path) -> None:
    for number, name in enumerate((signal.SIGTERM, signal.SIGINT)):
        log = tmp_path / f"worker-{number}.log"
        async with worker(tea_house.environment, log) as running:
            await running.says("Starting worker")
            running.process.send_signal(name)
            async with asyncio.timeout(5):
                assert await running.process.wait() == 0
        assert not running.said("Traceback"), log.read_text(encoding="utf-8")


async def test_a_stopped_worker_leaves_no_connection(tea_house: TeaHouse, tmp_path: Path) -> None:
    async with worker(tea_house.environment, tmp_path / "worker.log") as running:
        await running.says("Starting worker")
        before = await _others(tea_house)
        assert await running.terminate(within=5) == 0
        assert before > await _others(tea_house) == 0


async def _others(house: TeaHouse) -> int:
    """Connections to this test's database besides our own."""
    statement = """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> all($1::int[])
    """
    pool = house.runtime.pool
    async with pool.acquire() as first, pool.acquire() as second:
        mine = [await each.fetchval("select pg_backend_pid()") for each in (first, second)]
        return int(await first.fetchval(statement, mine))


async def test_refresh_does_the_same_by_hand(tea_house: TeaHouse, tmp_path: Path) -> None:
    tea_house.an_hour_passes()
    code, said = await run_to_end(tea_house.environment, tmp_path / "refresh.log", "refresh")
    assert (code, "1 users changed" in said) == (0, True), said
    assert await tea_house.is_untouchable()


async def test_a_worker_without_a_database_says_so_in_a_line(tmp_path: Path) -> None:
    nowhere = environment("postgresql://nobody@127.0.0.1:9/nothing", "redis://127.0.0.1:9")
    async with command(nowhere, tmp_path / "worker.log", "worker") as running, asyncio.timeout(15):
        assert await running.process.wait() == 1
        assert running.said("does not answer") == 1
