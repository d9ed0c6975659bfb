"""Queue events for one reader in bounded memory: a slow reader gets fewer, larger events, and never a gap."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Generic, TypeVar

MAX_PENDING: Final = 64

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Hold at most `MAX_PENDING` events; beyond that `collapse` returns fewer with the same outcome.

    The one reader either waits with `get`, or is called back by `on_arrival` and then reads `first`.
    """

    __slots__ = ("_call", "_collapse", "_waiting")

    def __init__(self, collapse: Callable[[list[T]], list[T]]) -> None:
        self._collapse = collapse
        self._waiting: list[T] = []
        self._call: Callable[[], object] | None = None

    def put(self, event: T) -> None:
        """Append an event, and wake the reader."""
        self._waiting.append(event)
        if len(self._waiting) > MAX_PENDING:
            self._waiting = self._collapse(self._waiting)
        if self._call is not None:
            call, self._call = self._call, None
            call()

    def prepend(self, events: Sequence[T]) -> None:
        """Insert events that happened before all that are waiting, such as those a client missed before it resumed."""
        self._waiting[:0] = events

    @property
    def first(self) -> T | None:
        """Return the oldest event, or None; it stays until `remove_first`."""
        return self._waiting[0] if self._waiting else None

    def remove_first(self) -> None:
        """Remove the oldest event; raises IndexError if there is none."""
        del self._waiting[0]

    def on_arrival(self, call: Callable[[], object]) -> None:
        """Call `call` once: at once if an event is waiting, otherwise when the next one is put."""
        if self._waiting:
            call()
        else:
            self._call = call

    async def get(self) -> T:
        """Wait for an event, and remove and return the oldest."""
        while not self._waiting:
            arrived = asyncio.get_running_loop().create_future()
            self._call = partial(_resolve, arrived)
            await arrived
        return self._waiting.pop(0)


def _resolve(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)
