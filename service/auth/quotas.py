"""Limit how much one principal may ask: operations over time, and subscriptions at once.

A principal is counted by robot and subject, in each process by itself (docs/settings.md).
"""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from cachetools import LRUCache

from service.entities.errors import LimitExceededError, RateLimitedError
from service.entities.principal import Principal

MAX_PRINCIPALS: Final = 10_000
# Seconds: the operations of this time may come at once.
BURST_SECONDS: Final = 5.0


@dataclass(slots=True)
class _Bucket:
    """Hold how many operations were left of the burst, and when."""

    tokens: float
    at: float


class RateLimiter:
    """Count operations in a token bucket for each principal: `per_second` over time, those of `burst` seconds at once.

    `clock` counts seconds. Of more than 10,000 principals the longest unseen is forgotten, and begins anew.
    """

    def __init__(
        self, per_second: int, clock: Callable[[], float] = time.monotonic, burst: float = BURST_SECONDS
    ) -> None:
        self._per_second = per_second
        self._capacity = per_second * burst
        self._clock = clock
        self._buckets: LRUCache[tuple[str, str], _Bucket] = LRUCache(MAX_PRINCIPALS)

    def acquire(self, principal: Principal) -> None:
        """Count one operation. Raises RateLimitedError, which says in how many seconds the next may come."""
        key, now = (principal.robot_id, principal.subject), self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._capacity, now)
        tokens = min(self._capacity, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.tokens, bucket.at = tokens - 1 if tokens >= 1 else tokens, now
        if tokens < 1:
            raise RateLimitedError(math.ceil((1 - tokens) / self._per_second))

    def charge(self, principal: Principal, operations: int) -> None:
        """Count more for an operation that `acquire` let in. It is not refused for that: those after it wait longer."""
        bucket = self._buckets.get((principal.robot_id, principal.subject))
        if bucket is not None:
            bucket.tokens -= operations


class OpenSubscriptions:
    """Count the subscriptions that each principal has open, over all its connections; at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[tuple[str, str]] = Counter()

    @property
    def total(self) -> int:
        """Return how many are open, of all principals."""
        return self._open.total()

    @contextmanager
    def reserve(self, principal: Principal) -> Iterator[None]:
        """Count one subscription as long as this is open. Raises LimitExceededError when `limit` are open already."""
        self.acquire(principal)
        try:
            yield
        finally:
            self.release(principal)

    def acquire(self, principal: Principal) -> None:
        """Count one subscription until `release`. Raises LimitExceededError when `limit` are open already."""
        key = (principal.robot_id, principal.subject)
        if self._open[key] >= self._limit:
            raise LimitExceededError(f"At most {self._limit:,} subscriptions of one principal may be open.")
        self._open[key] += 1

    def release(self, principal: Principal) -> None:
        """Count one subscription less, which `acquire` counted."""
        key = (principal.robot_id, principal.subject)
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
