"""Read together what concurrent callers look up, without making a single caller wait for others.

Keys that are asked for in one turn of the event loop share a read. While as many reads as may run at once are running,
keys gather, and are read when one of them ends. No caller joins a read that has begun, so each sees what was
committed before they asked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final, Generic, TypeVar

from service.foundation.cancellation import cancel_and_wait

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_CONCURRENT_READS: Final = 2
MAX_KEYS_PER_READ: Final = 500


@dataclass(slots=True)
class _Group(Generic[K, V]):
    """Hold who waits for which key, how many reads run, and whether one is about to begin."""

    waiting: dict[K, list[asyncio.Future[V | None]]] = field(default_factory=dict)
    reads: int = 0
    scheduled: bool = False


class BatchReader(Generic[K, V]):
    """Answer look-ups through `read`, which takes distinct keys and returns their values.

    A key that `read` leaves out has no value. What `read` raises is raised to all callers that asked with it, and to no
    other. A key for which no caller waits any more is not read.

    Keys of different groups, as `group_of` tells them apart, are never read together; without it all are of one group.
    A read has at most `max_keys`, and a group at most `max_concurrent` reads at once.
    """

    def __init__(
        self,
        read: Callable[[list[K]], Awaitable[Mapping[K, V]]],
        *,
        group_of: Callable[[K], Hashable] | None = None,
        max_keys: int = MAX_KEYS_PER_READ,
        max_concurrent: int = MAX_CONCURRENT_READS,
    ) -> None:
        self._read = read
        self._group_of = group_of
        self._max_keys = max_keys
        self._max_concurrent = max_concurrent
        # Groups in which anybody waits or reads.
        self._groups: dict[Hashable, _Group[K, V]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def get(self, key: K) -> V | None:
        """Return the value of a key; None where it has none."""
        return await self._enqueue(key)

    async def get_many(self, keys: Iterable[K]) -> list[V | None]:
        """Return the values of keys in the order asked, None where a key has none."""
        return list(await asyncio.gather(*[self._enqueue(key) for key in keys]))

    async def require(self, key: K) -> V:
        """Return the value of a key. Raises LookupError where it has none."""
        value = await self._enqueue(key)
        if value is None:
            raise LookupError(f"nothing was read for {key!r}")
        return value

    async def close(self) -> None:
        """Cancel all reads, and all callers that wait for one."""
        for group in self._groups.values():
            for answer in _pending(group.waiting):
                answer.cancel()
            group.waiting.clear()
        await cancel_and_wait(*self._running)

    def _enqueue(self, key: K) -> asyncio.Future[V | None]:
        name = None if self._group_of is None else self._group_of(key)
        group = self._groups.get(name)
        if group is None:
            group = self._groups[name] = _Group()
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[V | None] = loop.create_future()
        group.waiting.setdefault(key, []).append(answer)
        if not group.scheduled and group.reads < self._max_concurrent:
            group.scheduled = True
            loop.call_soon(self._start_reads, name, group)
        return answer

    def _start_reads(self, name: Hashable, group: _Group[K, V]) -> None:
        group.scheduled = False
        while group.waiting and group.reads < self._max_concurrent:
            if batch := self._take(group.waiting):
                group.reads += 1
                task = asyncio.get_running_loop().create_task(self._read_batch(batch), name="batch read")
                self._running.add(task)
                task.add_done_callback(partial(self._on_read_done, name, group, batch))
        if not group.reads and self._groups.get(name) is group:
            del self._groups[name]

    def _on_read_done(
        self,
        name: Hashable,
        group: _Group[K, V],
        batch: dict[K, list[asyncio.Future[V | None]]],
        task: asyncio.Task[None],
    ) -> None:
        self._running.discard(task)
        if task.cancelled():
            # Before its first step it ran none of its code.
            for answer in _pending(batch):
                answer.cancel()
        group.reads -= 1
        self._start_reads(name, group)

    def _take(self, waiting: dict[K, list[asyncio.Future[V | None]]]) -> dict[K, list[asyncio.Future[V | None]]]:
        """Remove the keys that have waited longest, and return those that anybody still waits for."""
        batch = {}
        for key in list(islice(waiting, self._max_keys)):
            answers = waiting.pop(key)
            for answer in answers:
                if not answer.done():
                    batch[key] = answers
                    break
        return batch

    async def _read_batch(self, batch: dict[K, list[asyncio.Future[V | None]]]) -> None:
        try:
            found = await self._read(list(batch))
        except Exception as error:  # noqa: BLE001 - raised to every caller
            for answer in _pending(batch):
                answer.set_exception(error)
        except BaseException:
            for answer in _pending(batch):
                answer.cancel()
            raise
        else:
            for key, answers in batch.items():
                for answer in answers:
                    if not answer.done():
                        answer.set_result(found.get(key))


def _pending(waiting: Mapping[K, list[asyncio.Future[V]]]) -> list[asyncio.Future[V]]:
    return [answer for answers in waiting.values() for answer in answers if not answer.done()]
