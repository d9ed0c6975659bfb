"""Pages are told in rounds, so that ten thousand of them hold up nobody else for long."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

# A few milliseconds' worth.
PAGES_PER_TURN: Final = 200


class TurnScheduler:
    """Calls everybody in the order they asked, some in each turn of the event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._scheduled = False

    def add(self, call: Callable[[], None]) -> None:
        self._waiting.append(call)
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run_turn)

    def _run_turn(self) -> None:
        self._scheduled = False
        try:
            for _ in range(min(PAGES_PER_TURN, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            # Whatever went wrong with one page, the others are told.
            self._schedule()
