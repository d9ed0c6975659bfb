"""A bounded mailbox: a slow reader gets fewer, larger events, never a gap."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Generic, TypeVar

MOST_WAITING: Final = 64

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most `MOST_WAITING` events; beyond that `collapse` makes fewer of them that say the same in the end."""

    def __init__(self, collapse: Callable[[list[T]], list[T]]) -> None:
        self._collapse = collapse
        self._waiting: deque[T] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: T) -> None:
        self._waiting.append(event)
        if len(self._waiting) > MOST_WAITING:
            self._waiting = deque(self._collapse(list(self._waiting)))
        self._arrived.set()

    async def get(self) -> T:
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()
