"""How much one token's holder may ask: operations over time, and subscriptions at once."""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from service.entities.errors import LimitExceededError, RateLimitedError
from service.entities.principal import Principal

MAX_PRINCIPALS: Final = 10_000
# So many seconds' worth may come at once.
BURST_SECONDS: Final = 5.0


class RateLimiter:
    """Buckets of one process, by robot and subject; `per_second` operations each, over time.

    `burst` seconds' worth may come at once. The longest unseen holder is forgotten first, and begins anew.
    """

    def __init__(
        self, per_second: int, clock: Callable[[], float] = time.monotonic, burst: float = BURST_SECONDS
    ) -> None:
        self._per_second = per_second
        self._capacity = per_second * burst
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def acquire(self, principal: Principal) -> None:
        """Counts one operation; raises RateLimitedError, saying when the next one may come."""
        key, now = (principal.robot_id, principal.subject), self._clock()
        tokens, at = self._buckets.pop(key, (self._capacity, now))
        tokens = min(self._capacity, tokens + (now - at) * self._per_second)
        self._buckets[key] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._buckets) > MAX_PRINCIPALS:
            self._buckets.popitem(last=False)
        if tokens < 1:
            raise RateLimitedError(math.ceil((1 - tokens) / self._per_second))


class OpenSubscriptions:
    """How many subscriptions each holder has open on one process, whatever the connections; at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._open: Counter[tuple[str, str]] = Counter()

    @property
    def total(self) -> int:
        return self._open.total()

    @contextmanager
    def reserve(self, principal: Principal) -> Iterator[None]:
        """Counts while it is held; raises LimitExceededError when there are too many already."""
        self.acquire(principal)
        try:
            yield
        finally:
            self.release(principal)

    def acquire(self, principal: Principal) -> None:
        """Counts one until it is given back; raises LimitExceededError when there are too many already."""
        key = (principal.robot_id, principal.subject)
        if self._open[key] >= self._limit:
            raise LimitExceededError(f"At most {self._limit:,} subscriptions of one token's holder may be open.")
        self._open[key] += 1

    def release(self, principal: Principal) -> None:
        key = (principal.robot_id, principal.subject)
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
