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
DRAIN_TIMEOUT: Final = 1.0
WORKER_DEFER_SECONDS: Final = 2.0
MAX_LOCAL_TASKS: Final = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    name: str
    args: tuple[Any, ...]
    task_id: str


class ArqQueue:
    """`task_id` names the task: while one of that name is queued or running, another is dropped."""

    def __init__(self, redis: Redis) -> None:
        self._arq = ArqRedis(redis.connection_pool)
        self._pending: asyncio.Queue[_Task] = asyncio.Queue(MAX_PENDING)
        self._local_handlers: dict[str, Callable[..., Awaitable[object]]] = {}
        self._local_tasks: dict[str, asyncio.Task[None]] = {}
        self._local_slots = asyncio.Semaphore(MAX_LOCAL_TASKS)
        self._sender = asyncio.create_task(self._send_pending(), name="task queue")

    def run_locally(self, name: str, handler: Callable[..., Awaitable[object]]) -> None:
        """Begins tasks of this name in this process, at once. A worker gets them too, a little later: if this process
        dies or falls behind, it goes on.
        """
        self._local_handlers[name] = handler

    def enqueue(self, name: str, *args: Any, task_id: str) -> None:
        task = _Task(name, args, task_id)
        if name in self._local_handlers and task_id not in self._local_tasks:
            running = self._local_tasks[task_id] = asyncio.create_task(self._run_local(task), name=task_id)
            running.add_done_callback(lambda _: self._local_tasks.pop(task_id, None))
        try:
            self._pending.put_nowait(task)
        except asyncio.QueueFull:
            return

    async def close(self) -> None:
        """Ends what is worked on here, and sends what is waiting if Valkey takes it within a second."""
        await cancel_and_wait(*self._local_tasks.values())
        try:
            async with asyncio.timeout(DRAIN_TIMEOUT):
                await self._pending.join()
        except TimeoutError:
            log.warning("%d tasks were not handed over; the sweep will find them", self._pending.qsize())
        await cancel_and_wait(self._sender)

    async def _send_pending(self) -> None:
        while True:
            task = await self._pending.get()
            delay = WORKER_DEFER_SECONDS if task.name in self._local_handlers else None
            try:
                await self._arq.enqueue_job(task.name, *task.args, _job_id=task.task_id, _defer_by=delay)
            except (RedisError, OSError) as error:
                log.warning("task %s was not handed over (%s); the sweep will", task.task_id, type(error).__name__)
            finally:
                self._pending.task_done()

    async def _run_local(self, task: _Task) -> None:
        """A few at a time: requests need the connections."""
        async with self._local_slots:
            try:
                await self._local_handlers[task.name](*task.args)
            except Exception:
                log.exception("task %s failed here; a worker takes it up", task.task_id)
