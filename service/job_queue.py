"""Handing tasks to the workers over Valkey, in the background: no request waits, and the sweep finds what is lost."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Any, Final

from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.domain.cancelling import cancel_for_good

MOST_WAITING: Final = 10_000
PATIENCE_AT_THE_END: Final = 1.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    name: str
    args: tuple[Any, ...]
    job_id: str


class ArqQueue:
    """`job_id` names the task: while one of that name is queued or running, another is dropped."""

    def __init__(self, redis: Redis) -> None:
        self._arq = ArqRedis(redis.connection_pool)
        self._waiting: asyncio.Queue[_Task] = asyncio.Queue(MOST_WAITING)
        self._sender = asyncio.create_task(self._send_all(), name="task queue")

    def enqueue(self, name: str, *args: Any, job_id: str) -> None:
        try:
            self._waiting.put_nowait(_Task(name, args, job_id))
        except asyncio.QueueFull:
            return

    async def close(self) -> None:
        """Sends what is waiting if Valkey takes it within a second."""
        try:
            async with asyncio.timeout(PATIENCE_AT_THE_END):
                await self._waiting.join()
        except TimeoutError:
            log.warning("%d tasks were not handed over; the sweep will find them", self._waiting.qsize())
        await cancel_for_good(self._sender)

    async def _send_all(self) -> None:
        while True:
            task = await self._waiting.get()
            try:
                await self._arq.enqueue_job(task.name, *task.args, _job_id=task.job_id)
            except (RedisError, OSError) as error:
                log.warning("task %s was not handed over (%s); the sweep will", task.job_id, type(error).__name__)
            finally:
                self._waiting.task_done()
