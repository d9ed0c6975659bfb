"""Run the worker in a process of its own: by the clock, and through outages."""

import asyncio
import signal
from datetime import timedelta
from pathlib import Path
from typing import Final

import redis.asyncio as redis

from tests.support.processes import TIMEOUT, command, environment, run_to_completion, worker
from tests.support.servers import private_valkey
from tests.support.waiting import wait_until
from tests.worker.scheduled_channel import ScheduledChannel

# Seconds: a tenth of one, unless the machine is busy.
AT_ONCE: Final = 15


async def test_the_scheduled_run_comes_every_second(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    async with worker(scheduled_channel.environment, tmp_path / "worker.log"):
        for number in range(3):
            openid = f"person-{number}"
            await scheduled_channel.record_follow(openid)
            assert await scheduled_channel.is_touchable(openid)
            scheduled_channel.advance_an_hour()
            await wait_until(lambda openid=openid: scheduled_channel.is_untouchable(openid))  # type: ignore[misc]
        assert await scheduled_channel.is_consistent()


async def test_two_workers_do_no_harm(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    async with (
        worker(scheduled_channel.environment, tmp_path / "first.log") as first,
        worker(scheduled_channel.environment, tmp_path / "second.log") as second,
    ):
        await first.wait_for_log("Starting worker")
        await second.wait_for_log("Starting worker")
        scheduled_channel.advance_an_hour()
        await wait_until(scheduled_channel.is_untouchable)
        scheduled_channel.time.advance(timedelta(hours=48))
        await wait_until(lambda: _has(scheduled_channel, 3))
        assert await scheduled_channel.is_consistent()
        assert first.alive
        assert second.alive
    assert await scheduled_channel.count_changes() == 3, "follow, untouchable, old: each written once"


async def _has(scheduled: ScheduledChannel, changes: int) -> bool:
    return await scheduled.count_changes() >= changes


async def test_a_worker_that_starts_after_hours_of_downtime_catches_up_at_once(
    scheduled_channel: ScheduledChannel, tmp_path: Path
) -> None:
    scheduled_channel.time.advance(timedelta(hours=60))
    assert await scheduled_channel.is_touchable()
    rarely = scheduled_channel.environment | {"USER_TAGS_DEFAULT_TAGS_EVERY": "1d"}
    async with worker(rarely, tmp_path / "worker.log"):
        await wait_until(scheduled_channel.is_untouchable)
        assert await scheduled_channel.is_consistent()


async def test_a_killed_worker_is_replaced_by_the_next(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    async with worker(scheduled_channel.environment, tmp_path / "first.log") as first:
        await first.wait_for_log("Starting worker")
        scheduled_channel.advance_an_hour()
        await first.kill()
    async with worker(scheduled_channel.environment, tmp_path / "second.log"):
        await wait_until(scheduled_channel.is_untouchable)
        await scheduled_channel.record_follow("bob")
        scheduled_channel.advance_an_hour()
        await wait_until(lambda: scheduled_channel.is_untouchable("bob"))
        assert await scheduled_channel.is_consistent()


async def test_the_worker_waits_for_valkey_and_goes_on(
    scheduled_channel: ScheduledChannel, accessible_dir: Path, tmp_path: Path
) -> None:
    async with (
        private_valkey(accessible_dir) as valkey,
        worker(scheduled_channel.environment | {"REDIS_URL": valkey.url}, tmp_path / "worker.log") as running,
    ):
        await running.wait_for_log("Starting worker")
        async with redis.Redis.from_url(valkey.url) as connection:
            await connection.flushall()
        scheduled_channel.advance_an_hour()
        await wait_until(scheduled_channel.is_untouchable)
        await valkey.stop()
        await running.wait_for_log("waits for Valkey")
        await scheduled_channel.record_follow("bob")
        scheduled_channel.advance_an_hour()
        await valkey.start()
        await wait_until(lambda: scheduled_channel.is_untouchable("bob"))
        assert running.alive


async def test_a_worker_that_starts_before_valkey_waits_for_it(
    scheduled_channel: ScheduledChannel, tmp_path: Path
) -> None:
    nowhere = scheduled_channel.environment | {"REDIS_URL": "redis://127.0.0.1:9"}
    async with worker(nowhere, tmp_path / "worker.log") as running:
        await running.wait_for_log("waits for Valkey")
        assert await running.terminate(within=AT_ONCE) == 0


async def test_a_worker_that_is_told_to_stop_does_so_at_once(
    scheduled_channel: ScheduledChannel, tmp_path: Path
) -> None:
    for number, name in enumerate((signal.SIGTERM, signal.SIGINT)):
        log = tmp_path / f"worker-{number}.log"
        async with worker(scheduled_channel.environment, log) as running:
            await running.wait_for_log("Starting worker")
            running.process.send_signal(name)
            async with asyncio.timeout(AT_ONCE):
                assert await running.process.wait() == 0
        assert not running.count_in_log("Traceback"), log.read_text(encoding="utf-8")


async def test_a_stopped_worker_leaves_no_connection(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    async with worker(scheduled_channel.environment, tmp_path / "worker.log") as running:
        await running.wait_for_log("Starting worker")
        before = await _others(scheduled_channel)
        assert await running.terminate(within=AT_ONCE) == 0
        assert before > await _others(scheduled_channel) == 0


async def _others(scheduled: ScheduledChannel) -> int:
    """Count the connections to this test's database besides our own."""
    statement = """
    select count(*) from pg_stat_activity
    where datname = current_database() and pid <> all($1::int[])
    """
    pool = scheduled.runtime.pool
    async with pool.acquire() as first, pool.acquire() as second:
        mine = [await each.fetchval("select pg_backend_pid()") for each in (first, second)]
        return int(await first.fetchval(statement, mine))


async def test_refresh_does_the_same_by_hand(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    scheduled_channel.advance_an_hour()
    code, said = await run_to_completion(scheduled_channel.environment, tmp_path / "refresh.log", "refresh")
    assert (code, "1 users changed" in said) == (0, True), said
    assert await scheduled_channel.is_untouchable()


async def test_a_worker_without_a_database_ends_with_one_line(tmp_path: Path) -> None:
    nowhere = environment("postgresql://nobody@127.0.0.1:9/nothing", "redis://127.0.0.1:9")
    async with command(nowhere, tmp_path / "worker.log", "worker") as running, asyncio.timeout(TIMEOUT):
        assert await running.process.wait() == 1
        assert running.count_in_log("does not answer") == 1
