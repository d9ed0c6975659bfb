"""Pages are told in rounds, so that ten thousand of them hold up nobody else for long."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

# A few milliseconds' worth.
PAGES_A_ROUND: Final = 200


class Rounds:
    """Calls everybody in the order they asked, some in each turn of the event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._called = False

    def add(self, call: Callable[[], None]) -> None:
        self._waiting.append(call)
        self._go_on()

    def _go_on(self) -> None:
        if self._waiting and not self._called:
            self._called = True
            asyncio.get_running_loop().call_soon(self._round)

    def _round(self) -> None:
        self._called = False
        try:
            for _ in range(min(PAGES_A_ROUND, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            # Whatever went wrong with one page, the others are told.
            self._go_on()
