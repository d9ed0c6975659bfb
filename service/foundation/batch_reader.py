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

AT_ONCE: Final = 2
MOST_KEYS: Final = 500


class LookUps(Generic[K, V]):
    """`read` answers many keys; what it leaves out is None. What it raises is raised to all who asked with it."""

    def __init__(self, read: Callable[[list[K]], Awaitable[Mapping[K, V]]], *, at_once: int = AT_ONCE) -> None:
        self._read = read
        self._at_once = at_once
        self._waiting: defaultdict[K, list[asyncio.Future[V | None]]] = defaultdict(list)
        self._running: set[asyncio.Task[None]] = set()
        self._called = False

    async def get(self, key: K) -> V | None:
        return await self._ask(key)

    async def get_many(self, keys: Iterable[K]) -> list[V | None]:
        """In the order asked."""
        return list(await asyncio.gather(*[self._ask(key) for key in keys]))

    def _ask(self, key: K) -> asyncio.Future[V | None]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[V | None] = loop.create_future()
        self._waiting[key].append(answer)
        if not self._called and len(self._running) < self._at_once:
            self._called = True
            loop.call_soon(self._begin)
        return answer

    def _begin(self) -> None:
        self._called = False
        while self._waiting and len(self._running) < self._at_once:
            taken = {key: self._waiting.pop(key) for key in list(self._waiting)[:MOST_KEYS]}
            task = asyncio.get_running_loop().create_task(self._answer(taken), name="look-ups")
            self._running.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._begin()

    async def _answer(self, taken: dict[K, list[asyncio.Future[V | None]]]) -> None:
        try:
            found = await self._read(list(taken))
        except Exception as error:  # noqa: BLE001 - handed to everybody who asked
            for each in _unanswered(taken):
                each.set_exception(error)
        except BaseException:
            for each in _unanswered(taken):
                each.cancel()
            raise
        else:
            for key, waiting in taken.items():
                for each in waiting:
                    if not each.done():
                        each.set_result(found.get(key))


def _unanswered(taken: Mapping[K, list[asyncio.Future[V]]]) -> list[asyncio.Future[V]]:
    """Those who asked and have not gone away."""
    return [each for waiting in taken.values() for each in waiting if not each.done()]
