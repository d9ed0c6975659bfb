"""Bound a cache by the memory it takes, for texts and answers whose size clients choose."""

from collections.abc import Callable
from typing import TypeVar

from cachetools import LRUCache

K = TypeVar("K")
V = TypeVar("V")


class ByteCache(LRUCache[K, V]):
    """Keep the values that were used last, of `max_bytes` together as `size_of` estimates them.

    A value that alone is larger than that is not kept, and storing it is no error.
    """

    def __init__(self, max_bytes: int, size_of: Callable[[V], int]) -> None:
        super().__init__(max_bytes, size_of)

    def __setitem__(self, key: K, value: V) -> None:
        if self.getsizeof(value) > self.maxsize:
            self.pop(key, None)
        else:
            super().__setitem__(key, value)
