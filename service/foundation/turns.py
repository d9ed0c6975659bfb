"""Spread many short calls over turns of the event loop, so that everything else in it waits milliseconds."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

CALLS_PER_TURN: Final = 200
"""Bound a turn to a few milliseconds: each call sends an event to one subscriber."""


class TurnScheduler:
    """Make calls in the order they were added, `CALLS_PER_TURN` in each turn of the event loop."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], None]] = deque()
        self._scheduled = False

    def add(self, call: Callable[[], None]) -> None:
        """Add a call, to be made in a later turn. If it raises, the event loop logs that, and the others are made."""
        self._waiting.append(call)
        self._schedule()

    def _schedule(self) -> None:
        if self._waiting and not self._scheduled:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._run_turn)

    def _run_turn(self) -> None:
        self._scheduled = False
        try:
            for _ in range(min(CALLS_PER_TURN, len(self._waiting))):
                self._waiting.popleft()()
        finally:
            # A call that raised must not hold up those after it.
            self._schedule()
