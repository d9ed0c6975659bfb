"""A bounded mailbox: a slow reader gets fewer, larger events, never a gap."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Generic, TypeVar

MAX_PENDING: Final = 64

T = TypeVar("T")


class Mailbox(Generic[T]):
    """Holds at most `MAX_PENDING` events; beyond that `collapse` makes fewer of them that say the same in the end.

    Its one reader either waits with `get`, or has itself called with `on_arrival` and then looks at `first`.
    """

    __slots__ = ("_call", "_collapse", "_waiting")

    def __init__(self, collapse: Callable[[list[T]], list[T]]) -> None:
        self._collapse = collapse
        self._waiting: list[T] = []
        self._call: Callable[[], object] | None = None

    def put(self, event: T) -> None:
        self._waiting.append(event)
        if len(self._waiting) > MAX_PENDING:
            self._waiting = self._collapse(self._waiting)
        if self._call is not None:
            call, self._call = self._call, None
            call()

    def prepend(self, events: Sequence[T]) -> None:
        """What happened before all that waits, as when a page has just come back."""
        self._waiting[:0] = events

    @property
    def first(self) -> T | None:
        """What has waited longest; it stays until it is dropped."""
        return self._waiting[0] if self._waiting else None

    def remove_first(self) -> None:
        del self._waiting[0]

    def on_arrival(self, call: Callable[[], object]) -> None:
        """Calls once: at once if anything waits, or else when the next event comes."""
        if self._waiting:
            call()
        else:
            self._call = call

    async def get(self) -> T:
        while not self._waiting:
            arrived = asyncio.get_running_loop().create_future()
            self._call = partial(_resolve, arrived)
            await arrived
        return self._waiting.pop(0)


def _resolve(arrived: asyncio.Future[None]) -> None:
    if not arrived.done():
        arrived.set_result(None)
