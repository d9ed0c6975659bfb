"""Go through long lists in slices, so that the event loop serves others between them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, TypeVar

T = TypeVar("T")

SLICE_SIZE: Final = 1_000


async def in_slices(
    items: Sequence[T], size: int = SLICE_SIZE, weight_of: Callable[[T], int] | None = None
) -> AsyncIterator[Sequence[T]]:
    """Yield all items in order, `size` at a time, and let the loop run before each slice but the first.

    Where items have weights, those of a slice add up to at most `size`; an item that alone is heavier comes alone.
    """
    starts = range(0, len(items), size) if weight_of is None else _starts_by_weight(items, size, weight_of)
    ends = [*starts[1:], len(items)]
    for start, end in zip(starts, ends, strict=False):
        if start:
            await asyncio.sleep(0)
        yield items[start:end]


def _starts_by_weight(items: Sequence[T], size: int, weight_of: Callable[[T], int]) -> Sequence[int]:
    starts, weight = [], size
    for place, item in enumerate(items):
        own = weight_of(item)
        if not place or weight + own > size:
            starts.append(place)
            weight = 0
        weight += own
    return starts
