"""Put into the queue what none of our processes writes: nothing of it runs, and the worker goes on with its work."""

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
import redis.asyncio as redis

from service.entities.tasks import TaskName
from tests.support.processes import worker
from tests.support.waiting import wait_until
from tests.worker.scheduled_channel import ScheduledChannel

QUEUE: Final = "arq:queue"
NOW: Final = 1_700_000_000_000


class _Bomb:
    """Create a file where it is unpickled."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __reduce__(self) -> tuple[Callable[..., object], tuple[Any, ...]]:
        return os.mkdir, (str(self._path),)


async def enqueue(valkey: "redis.Redis", task_id: bytes, entry: bytes, score: float = NOW) -> None:
    await valkey.set(b"arq:job:" + task_id, entry)
    await valkey.zadd(QUEUE, {task_id: score})


def task(name: str = TaskName.REFRESH_COMBOS.value, **members: Any) -> bytes:
    return orjson.dumps({"t": None, "f": name, "a": [1], "k": {}, "et": NOW, **members})


async def test_no_entry_of_somebody_else_runs_or_ends_the_worker(
    scheduled_channel: ScheduledChannel, tmp_path: Path
) -> None:
    bomb = tmp_path / "created-by-a-pickle"
    async with redis.Redis.from_url(scheduled_channel.environment["REDIS_URL"]) as valkey:
        await enqueue(valkey, b"pickle", pickle.dumps(_Bomb(bomb)))
        await enqueue(
            valkey, b"old-release", pickle.dumps({"f": "refresh_combos", "a": (1,), "k": {}, "t": 1, "et": 1})
        )
        await enqueue(valkey, b"\xff\xfe", task())
        await enqueue(valkey, b"with\nline ends", task())
        await enqueue(valkey, b"endless", task(), score=float("-inf"))
        await enqueue(valkey, b"zero", task(), score=0)
        await enqueue(valkey, b"unknown", task("shut_down"))
        await enqueue(valkey, b"no-name", task(f=["refresh_combos"]))
        await enqueue(valkey, b"no-number", task(a=["1; drop table tag"]))
        await enqueue(valkey, b"no-time", task(et="yesterday"))
        await enqueue(valkey, b"no-tries", task(t="once"))
        await enqueue(valkey, b"no-json", b"\x80\x04")
        await valkey.rpush("arq:job:no-text", "a list")
        await valkey.zadd(QUEUE, {"no-text": NOW})
        await enqueue(valkey, b"no-count", task())
        await valkey.set("arq:retry:no-count", "many")
        async with worker(scheduled_channel.environment, tmp_path / "worker.log") as running:

            async def is_drained() -> bool:
                assert running.alive
                return not [each for each in await valkey.zrange(QUEUE, 0, -1) if not each.startswith(b"cron:")]

            await wait_until(is_drained)
            scheduled_channel.advance_an_hour()
            await wait_until(scheduled_channel.is_untouchable)
            assert running.alive
            assert "Traceback" not in running.output
            assert "waits for Valkey" not in running.output
            for dropped in ("pickle", "old-release", "unknown", "no-name", "no-number", "no-text", "no-count"):
                assert running.count_in_log(f"task {dropped} was dropped") == 1
    assert not bomb.exists()


async def test_a_key_that_is_no_queue_is_made_one_again(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    async with redis.Redis.from_url(scheduled_channel.environment["REDIS_URL"]) as valkey:
        await valkey.set(QUEUE, "no queue")
        async with worker(scheduled_channel.environment, tmp_path / "worker.log") as running:
            scheduled_channel.advance_an_hour()
            await wait_until(scheduled_channel.is_untouchable)
            assert running.count_in_log("the queue was dropped") == 1


async def test_the_log_has_no_line_for_each_sweep(scheduled_channel: ScheduledChannel, tmp_path: Path) -> None:
    async with worker(scheduled_channel.environment, tmp_path / "worker.log") as running:
        await running.wait_for_log("Starting worker")
        for number in range(2):
            await scheduled_channel.record_follow(f"person-{number}")
            scheduled_channel.advance_an_hour()
            await wait_until(
                lambda number=number: scheduled_channel.is_untouchable(f"person-{number}"),  # type: ignore[misc]
            )
        lines = [line for line in running.output.splitlines() if "cron:" in line]
        assert len(lines) == 1, lines
        assert "Starting worker" in lines[0]
