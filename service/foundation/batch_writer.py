"""Write together what concurrent callers hand in, without making a single caller wait for others.

A buffer that is flushed whenever its last flush has ended: what is put while a batch is being written is written with
the next one.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Put(Generic[T, R]):
    item: T
    done: asyncio.Future[R]


@dataclass(slots=True)
class _Queue(Generic[T, R]):
    """Hold what waits to be written, in order, and the task that writes it."""

    waiting: deque[_Put[T, R]] = field(default_factory=deque)
    writer: asyncio.Task[None] | None = None


class BatchWriter(Generic[T, R]):
    """Write items through `write`, which takes a batch and returns a result for each of its items, in order.

    What `write` raises may be the fault of a single item, so the items of the batch are then written one by one, and
    each caller hears of its own alone. An error of `shared_errors` would meet them all, and is raised to all of them.
    An item is written although its caller stopped waiting. Items of different groups, as `group_of` tells them apart,
    are never written together, and a group has one write at a time.

    The sizes of a batch, as `size_of` measures its items, add up to at most `max_size`, and it has at most `max_items`
    where that is given; an item that alone is larger is written alone.
    """

    def __init__(
        self,
        write: Callable[[list[T]], Awaitable[Sequence[R]]],
        *,
        group_of: Callable[[T], Hashable],
        size_of: Callable[[T], int],
        max_size: int,
        max_items: int | None = None,
        shared_errors: tuple[type[Exception], ...] = (),
    ) -> None:
        self._write = write
        self._group_of = group_of
        self._size_of = size_of
        self._max_size = max_size
        self._max_items = max_items
        self._shared_errors = shared_errors
        # Groups of which anything is written or waits.
        self._queues: dict[Hashable, _Queue[T, R]] = {}

    async def put(self, item: T) -> R:
        """Return the result of an item, once it is written."""
        group = self._group_of(item)
        queue = self._queues.get(group)
        if queue is None:
            queue = self._queues[group] = _Queue()
            queue.writer = asyncio.create_task(self._write_all(group, queue), name=f"batch writes of {group}")
            queue.writer.add_done_callback(partial(self._on_writer_done, group, queue))
        done: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        queue.waiting.append(_Put(item, done))
        return await done

    async def _write_all(self, group: Hashable, queue: _Queue[T, R]) -> None:
        while queue.waiting:
            await self._write_batch(self._take(queue.waiting))
        # Before the task ends: what is put from here on has a queue of its own.
        del self._queues[group]

    def _on_writer_done(self, group: Hashable, queue: _Queue[T, R], task: asyncio.Task[None]) -> None:
        # Also for a writer that was cancelled before its first step, which runs none of its code.
        del task
        if self._queues.get(group) is queue:
            del self._queues[group]
        for put in queue.waiting:
            put.done.cancel()

    def _take(self, waiting: deque[_Put[T, R]]) -> list[_Put[T, R]]:
        batch = [waiting.popleft()]
        size = self._size_of(batch[0].item)
        while waiting and (self._max_items is None or len(batch) < self._max_items):
            size += self._size_of(waiting[0].item)
            if size > self._max_size:
                break
            batch.append(waiting.popleft())
        return batch

    async def _write_alone(self, batch: list[_Put[T, R]]) -> None:
        waiting = deque(batch)
        try:
            while waiting:
                await self._write_batch([waiting.popleft()])
        finally:
            # Anything is left only where the task was cancelled.
            for put in waiting:
                put.done.cancel()

    async def _write_batch(self, batch: list[_Put[T, R]]) -> None:
        try:
            results = list(zip(batch, await self._write([put.item for put in batch]), strict=True))
        except Exception as error:  # noqa: BLE001 - raised to callers
            if len(batch) > 1 and not isinstance(error, self._shared_errors):
                await self._write_alone(batch)
                return
            for put in batch:
                if not put.done.done():
                    put.done.set_exception(error)
        except BaseException:
            for put in batch:
                put.done.cancel()
            raise
        else:
            for put, result in results:
                if not put.done.done():
                    put.done.set_result(result)
