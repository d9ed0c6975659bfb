"""Hand tasks to the workers over Valkey, in the background: no request waits, and a sweep finds what is lost."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from arq.connections import ArqRedis
from redis.asyncio import Redis

from service.entities.tasks import TaskName
from service.foundation.cancellation import cancel_and_wait
from service.valkey.connection import VALKEY_ERRORS
from service.valkey.task_entries import encode_entry

MAX_PENDING: Final = 10_000
# Seconds.
DRAIN_TIMEOUT: Final = 1.0
WORKER_DEFER_SECONDS: Final = 2.0
MAX_LOCAL_TASKS: Final = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Task:
    name: TaskName
    args: tuple[int, ...]
    task_id: str


class ArqQueue:
    """Send tasks to arq's queue, and run those of some names in this process as well.

    Nothing is kept only here: a task that is lost is found by the sweep of its kind (`service/worker/schedule.py`).
    """

    def __init__(self, redis: Redis) -> None:
        self._arq = ArqRedis(redis.connection_pool, job_serializer=encode_entry)
        self._pending: asyncio.Queue[_Task] = asyncio.Queue(MAX_PENDING)
        self._local_handlers: dict[TaskName, Callable[..., Awaitable[object]]] = {}
        self._local_tasks: dict[str, asyncio.Task[None]] = {}
        self._local_slots = asyncio.Semaphore(MAX_LOCAL_TASKS)
        self._sender = asyncio.create_task(self._send_pending(), name="task queue")

    def run_locally(self, name: TaskName, handler: Callable[..., Awaitable[object]]) -> None:
        """Begin tasks of this name in this process at once, by calling `handler` with their arguments.

        A worker gets them too, two seconds later: it takes over when this process dies or falls behind.
        """
        self._local_handlers[name] = handler

    def enqueue(self, name: TaskName, *args: int, task_id: str) -> None:
        """Send a task in the background; it is dropped while one of its `task_id` is queued or running.

        It is also dropped when 10,000 are waiting to be sent.
        """
        task = _Task(name, args, task_id)
        if name in self._local_handlers and task_id not in self._local_tasks:
            running = self._local_tasks[task_id] = asyncio.create_task(self._run_local(task), name=task_id)
            running.add_done_callback(lambda _: self._local_tasks.pop(task_id, None))
        try:
            self._pending.put_nowait(task)
        except asyncio.QueueFull:
            return

    async def close(self) -> None:
        """Cancel what runs here, and send what is waiting if Valkey takes it within a second."""
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
                await self._arq.enqueue_job(task.name.value, *task.args, _job_id=task.task_id, _defer_by=delay)
            except VALKEY_ERRORS as error:
                log.warning("task %s was not handed over (%s); the sweep will", task.task_id, type(error).__name__)
            finally:
                self._pending.task_done()

    async def _run_local(self, task: _Task) -> None:
        # A few at a time: requests need the connections to the database.
        async with self._local_slots:
            try:
                await self._local_handlers[task.name](*task.args)
            except Exception:
                log.exception("task %s failed here; a worker takes it up", task.task_id)
