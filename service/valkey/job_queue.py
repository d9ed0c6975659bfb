"""Handing tasks to the workers over Valkey, in the background: no request waits, and the sweep finds what is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from arq.connections import ArqRedis
from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.foundation.cancellation import cancel_and_wait

MAX_PENDING: Final = 10_000
PATIENCE_AT_THE_END: Final = 1.0
HEAD_START: Final = 2.0
MOST_WORKING_HERE: Final = 2

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
        self._waiting: asyncio.Queue[_Task] = asyncio.Queue(MAX_PENDING)
        self._here: dict[str, Callable[..., Awaitable[object]]] = {}
        self._working: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(MOST_WORKING_HERE)
        self._sender = asyncio.create_task(self._send_all(), name="task queue")

    def work_here_too(self, name: str, work: Callable[..., Awaitable[object]]) -> None:
        """Begins tasks of this name in this process, at once. A worker gets them too, a little later: if this process
        dies or falls behind, it goes on.
        """
        self._here[name] = work

    def enqueue(self, name: str, *args: Any, job_id: str) -> None:
        task = _Task(name, args, job_id)
        if name in self._here and job_id not in self._working:
            running = self._working[job_id] = asyncio.create_task(self._work(task), name=job_id)
            running.add_done_callback(lambda _: self._working.pop(job_id, None))
        try:
            self._waiting.put_nowait(task)
        except asyncio.QueueFull:
            return

    async def close(self) -> None:
        """Ends what is worked on here, and sends what is waiting if Valkey takes it within a second."""
        await cancel_and_wait(*self._working.values())
        try:
            async with asyncio.timeout(PATIENCE_AT_THE_END):
                await self._waiting.join()
        except TimeoutError:
            log.warning("%d tasks were not handed over; the sweep will find them", self._waiting.qsize())
        await cancel_and_wait(self._sender)

    async def _send_all(self) -> None:
        while True:
            task = await self._waiting.get()
            delay = HEAD_START if task.name in self._here else None
            try:
                await self._arq.enqueue_job(task.name, *task.args, _job_id=task.job_id, _defer_by=delay)
            except (RedisError, OSError) as error:
                log.warning("task %s was not handed over (%s); the sweep will", task.job_id, type(error).__name__)
            finally:
                self._waiting.task_done()

    async def _work(self, task: _Task) -> None:
        """A few at a time: requests need the connections."""
        async with self._room:
            try:
                await self._here[task.name](*task.args)
            except Exception:
                log.exception("task %s failed here; a worker takes it up", task.job_id)
