"""Go through long lists in slices, so that the event loop serves others between them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

SLICE_SIZE: Final = 1_000


async def in_slices(items: Sequence[T], size: int = SLICE_SIZE) -> AsyncIterator[Sequence[T]]:
    """Yield all items in order, `size` at a time, and let the loop run before each slice but the first."""
    for start in range(0, len(items), size):
        if start:
            await asyncio.sleep(0)
        yield items[start : start + size]
