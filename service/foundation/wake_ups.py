"""Collect what a loop has to look at, until it does; waking is never waited for and counts once."""

import asyncio
from typing import Generic, TypeVar

K = TypeVar("K")


class WakeUps(Generic[K]):
    """Hold keys for the one loop that takes them."""

    def __init__(self) -> None:
        self._keys: set[K] = set()
        self._woken = asyncio.Event()

    def wake(self, key: K) -> None:
        """Let the loop look at a key soon."""
        self._keys.add(key)
        self._woken.set()

    async def take(self, within: float) -> set[K]:
        """Return the keys since the last call as soon as there are any; none after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._woken.wait()
        except TimeoutError:
            return set()
        keys, self._keys = self._keys, set()
        self._woken.clear()
        return keys
