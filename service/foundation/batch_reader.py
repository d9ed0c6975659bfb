"""Look-ups of concurrent requests, answered by one statement; a single request waits for nobody.

What is asked in one turn of the event loop is read together. While as many statements as may run at once are running,
what is asked gathers, and is read when one of them ends. Nobody joins a statement that has begun, so everybody sees
what was committed before they asked.
"""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Mapping
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MAX_CONCURRENT_READS: Final = 2
MAX_KEYS_PER_READ: Final = 500


class BatchReader(Generic[K, V]):
    """`read` answers many keys; what it leaves out is None. What it raises is raised to all who asked with it."""

    def __init__(
        self, read: Callable[[list[K]], Awaitable[Mapping[K, V]]], *, max_concurrent: int = MAX_CONCURRENT_READS
    ) -> None:
        self._read = read
        self._max_concurrent = max_concurrent
        self._waiting: defaultdict[K, list[asyncio.Future[V | None]]] = defaultdict(list)
        self._running: set[asyncio.Task[None]] = set()
        self._scheduled = False

    async def get(self, key: K) -> V | None:
        return await self._enqueue(key)

    async def get_many(self, keys: Iterable[K]) -> list[V | None]:
        """In the order asked."""
        return list(await asyncio.gather(*[self._enqueue(key) for key in keys]))

    def _enqueue(self, key: K) -> asyncio.Future[V | None]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[V | None] = loop.create_future()
        self._waiting[key].append(answer)
        if not self._scheduled and len(self._running) < self._max_concurrent:
            self._scheduled = True
            loop.call_soon(self._start_reads)
        return answer

    def _start_reads(self) -> None:
        self._scheduled = False
        while self._waiting and len(self._running) < self._max_concurrent:
            taken = {key: self._waiting.pop(key) for key in list(self._waiting)[:MAX_KEYS_PER_READ]}
            task = asyncio.get_running_loop().create_task(self._read_batch(taken), name="look-ups")
            self._running.add(task)
            task.add_done_callback(self._on_read_done)

    def _on_read_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._start_reads()

    async def _read_batch(self, taken: dict[K, list[asyncio.Future[V | None]]]) -> None:
        try:
            found = await self._read(list(taken))
        except Exception as error:  # noqa: BLE001 - handed to everybody who asked
            for each in _pending_futures(taken):
                each.set_exception(error)
        except BaseException:
            for each in _pending_futures(taken):
                each.cancel()
            raise
        else:
            for key, waiting in taken.items():
                for each in waiting:
                    if not each.done():
                        each.set_result(found.get(key))


def _pending_futures(taken: Mapping[K, list[asyncio.Future[V]]]) -> list[asyncio.Future[V]]:
    """Those who asked and have not gone away."""
    return [each for waiting in taken.values() for each in waiting if not each.done()]
