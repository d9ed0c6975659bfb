"""End what takes too long, with one timer for everything that a process does at the same time.

`asyncio.timeout` sets a timer for each; thousands of short operations a second would pay for timers that never ring.
"""

import asyncio
import time
from datetime import timedelta
from types import TracebackType


class Deadlines:
    """Give each `with` block of a task the same time; TimeoutError ends the one that takes longer."""

    def __init__(self, within: timedelta) -> None:
        self._within = within.total_seconds()
        # In the order in which they began, which is that of their ends.
        self._running: dict[Deadline, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> "Deadline":
        """Return a context manager that ends the current task's block when its time is over."""
        return Deadline(self)

    def add(self, deadline: "Deadline") -> None:
        """Watch a block from now on."""
        deadline.at = time.monotonic() + self._within
        self._running[deadline] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._within, self._on_timer)

    def remove(self, deadline: "Deadline") -> None:
        """Watch a block no longer."""
        self._running.pop(deadline, None)

    def _on_timer(self) -> None:
        self._timer = None
        now = time.monotonic()
        for deadline in list(self._running):
            if deadline.at > now:
                self._timer = asyncio.get_running_loop().call_later(deadline.at - now, self._on_timer)
                return
            self.remove(deadline)
            deadline.ring()


class Deadline:
    """Hold when the block of one task must have ended."""

    __slots__ = ("_cancelling", "_deadlines", "_rang", "_task", "at")

    def __init__(self, deadlines: Deadlines) -> None:
        self._deadlines = deadlines
        self._rang = False
        self.at = 0.0

    def ring(self) -> None:
        """Cancel what the block waits for."""
        self._rang = True
        self._task.cancel()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - only coroutines wait
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._deadlines.remove(self)
        # As in asyncio.timeout: who else cancels the task at the same time wins.
        if self._rang and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
