"""How much one token's holder may ask: operations over time, and subscriptions at once."""

import math
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from service.entities.errors import LimitExceededError, RateLimitedError
from service.entities.principal import Principal

MOST_HOLDERS: Final = 10_000
# So many seconds' worth may come at once.
BURST: Final = 5.0


class Rates:
    """Buckets of one process, by robot and subject; `per_second` operations each, over time.

    `burst` seconds' worth may come at once. The longest unseen holder is forgotten first, and begins anew.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic, burst: float = BURST) -> None:
        self._per_second = per_second
        self._full = per_second * burst
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, holder: Principal) -> None:
        """Counts one operation; raises RateLimitedError, saying when the next one may come."""
        key, now = (holder.robot_id, holder.subject), self._clock()
        left, at = self._buckets.pop(key, (self._full, now))
        left = min(self._full, left + (now - at) * self._per_second)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MOST_HOLDERS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise RateLimitedError(math.ceil((1 - left) / self._per_second))


class OpenSubscriptions:
    """How many subscriptions each holder has open on one process, whatever the connections; at most `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._open: Counter[tuple[str, str]] = Counter()

    @property
    def total(self) -> int:
        return self._open.total()

    @contextmanager
    def one_more(self, holder: Principal) -> Iterator[None]:
        """Counts while it is held; raises LimitExceededError when there are too many already."""
        self.take(holder)
        try:
            yield
        finally:
            self.give_back(holder)

    def take(self, holder: Principal) -> None:
        """Counts one until it is given back; raises LimitExceededError when there are too many already."""
        key = (holder.robot_id, holder.subject)
        if self._open[key] >= self._most:
            raise LimitExceededError(f"At most {self._most:,} subscriptions of one token's holder may be open.")
        self._open[key] += 1

    def give_back(self, holder: Principal) -> None:
        key = (holder.robot_id, holder.subject)
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
