"""How often one token's holder may ask: a bucket of operations that refills as time passes."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from service.entities.errors import RateLimitedError
from service.entities.principal import Principal

MOST_HOLDERS: Final = 10_000
# A burst of so many seconds' worth may come at once.
BURST: Final = 5


class Rates:
    """Buckets of one process, by robot and subject; `per_second` operations each, over time.

    The longest unseen holder is forgotten first, and a forgotten holder starts with a full bucket.
    """

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def take(self, holder: Principal) -> None:
        """Counts one operation; raises RateLimitedError, saying when the next one may come."""
        key, now = (holder.robot_id, holder.subject), self._clock()
        full = float(self._per_second * BURST)
        left, at = self._buckets.pop(key, (full, now))
        left = min(full, left + (now - at) * self._per_second)
        self._buckets[key] = (left - 1 if left >= 1 else left, now)
        if len(self._buckets) > MOST_HOLDERS:
            self._buckets.popitem(last=False)
        if left < 1:
            raise RateLimitedError(math.ceil((1 - left) / self._per_second))
