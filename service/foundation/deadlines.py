"""End what takes too long, or what nobody waits for any more, with one timer for all that a process does at once.

`asyncio.timeout` sets a timer for each; thousands of short operations a second would pay for timers that never ring.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import TracebackType
from typing import Final, TypeAlias

# In seconds. Most is done by then, and nobody looks whether its client still waits.
WATCHED_AFTER: Final = 1.0

Departure: TypeAlias = Callable[[], Awaitable[object]]
"""Returns when a client has left."""


class Deadlines:
    """Give each `with` block of a task the same time; TimeoutError ends the one that takes longer."""

    def __init__(self, within: timedelta, *, watched_after: float = WATCHED_AFTER) -> None:
        self._within = within.total_seconds()
        self._watched_after = min(watched_after, self._within)
        # In the order in which they began, which is that of their ends.
        self._running: dict[Deadline, None] = {}
        self._timer: asyncio.TimerHandle | None = None

    def start(self, departure: Departure | None = None) -> "Deadline":
        """Return a context manager that ends the current task's block when its time is over.

        It ends the block, too, once its client has left, as `departure` tells of one that takes longer than a second.
        """
        return Deadline(self, departure)

    def add(self, deadline: "Deadline") -> None:
        """Watch a block from now on."""
        deadline.at = time.monotonic() + self._within
        self._running[deadline] = None
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._watched_after, self._on_timer)

    def remove(self, deadline: "Deadline") -> None:
        """Watch a block no longer."""
        self._running.pop(deadline, None)

    def _on_timer(self) -> None:
        self._timer = None
        now = time.monotonic()
        watched_until = now + self._within - self._watched_after
        for deadline in list(self._running):
            if deadline.at <= now:
                self.remove(deadline)
                deadline.ring()
            elif deadline.at <= watched_until:
                deadline.watch()
            else:
                break
        if self._running:
            self._timer = asyncio.get_running_loop().call_later(self._next(now, watched_until), self._on_timer)

    def _next(self, now: float, watched_until: float) -> float:
        """Return in how many seconds the first block has to end, or to be watched."""
        ends = next(iter(self._running)).at - now
        return min(ends, next((each.at - watched_until for each in self._running if each.at > watched_until), ends))


class Deadline:
    """Hold when the block of one task must have ended."""

    __slots__ = ("_cancelling", "_deadlines", "_departure", "_rang", "_task", "_watching", "at")

    def __init__(self, deadlines: Deadlines, departure: Departure | None) -> None:
        self._deadlines = deadlines
        self._departure = departure
        self._watching: asyncio.Task[None] | None = None
        self._rang = False
        self.at = 0.0

    def ring(self) -> None:
        """Cancel what the block waits for."""
        self._rang = True
        self._task.cancel()

    def watch(self) -> None:
        """Call it once the client has left, if that can be told."""
        if self._departure is not None and self._watching is None:
            self._watching = asyncio.create_task(self._ring_after(self._departure))

    async def _ring_after(self, departure: Departure) -> None:
        await departure()
        self._deadlines.remove(self)
        self.ring()

    def __enter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - only coroutines wait
        self._task, self._cancelling = task, task.cancelling()
        self._deadlines.add(self)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._deadlines.remove(self)
        if self._watching is not None:
            self._watching.cancel()
        # As in asyncio.timeout: who else cancels the task at the same time wins.
        if self._rang and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error
