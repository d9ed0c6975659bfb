"""Share the event loop fairly: what computes for long does so in slices, and everything else runs between them."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable
from typing import Final, TypeVar

T = TypeVar("T")

# Seconds for which all long computations of a process together hold the loop at a time.
SLICE: Final = 0.004
# Of those who wait, so many are woken at once; one that finds the slice used up goes on waiting.
WOKEN_AT_ONCE: Final = 20


class LoopShare:
    """Let the long computations of one event loop take turns, each asking often whether the present slice is used up.

    A slice begins with the first of those who wait for it, so however busy the loop is, each slice does something.
    """

    def __init__(self) -> None:
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._scheduled = False
        # None until somebody makes use of a slice that was opened.
        self._end: float | None = 0.0

    @property
    def used_up(self) -> bool:
        """Tell whether who asks should `wait`."""
        if self._end is None:
            self._end = time.perf_counter() + SLICE
        return time.perf_counter() >= self._end

    async def wait(self) -> None:
        """Wait until there is a slice that is not used up."""
        loop = asyncio.get_running_loop()
        while self.used_up:
            if not self._scheduled:
                self._scheduled = True
                loop.call_soon(self._open_slice)
            future = loop.create_future()
            self._waiting.append(future)
            await future

    async def turn(self) -> None:
        """Wait if the present slice is used up."""
        if self.used_up:
            await self.wait()

    async def in_turn(self, awaitable: Awaitable[T]) -> T:
        """Return what an awaitable returns, in a slice that is not used up.

        It is begun at once: what is begun together is read from the database together.
        """
        value = await awaitable
        await self.turn()
        return value

    def _open_slice(self) -> None:
        self._scheduled = False
        self._end = None
        for _ in range(min(WOKEN_AT_ONCE, len(self._waiting))):
            future = self._waiting.popleft()
            if not future.done():
                future.set_result(None)
        if self._waiting:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._open_slice)
