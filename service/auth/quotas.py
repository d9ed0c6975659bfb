"""Limit how much one principal may ask, over time and at once, and how often one address is refused.

A principal is counted by robot and subject, in each process by itself (docs/settings.md).
"""

import asyncio
import ipaddress
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, TypeVar
from weakref import WeakValueDictionary

from cachetools import LRUCache

from service.entities.errors import LimitExceededError, RateLimitedError
from service.entities.principal import Principal

T = TypeVar("T")

MAX_KEYS: Final = 10_000
# Seconds: the operations of this time may come at once.
BURST_SECONDS: Final = 5.0
# Whoever has one IPv6 address usually has all that share so many bits with it.
IPV6_NETWORK_BITS: Final = 64


@dataclass(slots=True)
class _Bucket:
    """Hold how much was left of the burst, and when; below 0 if more was taken than there was."""

    tokens: float
    at: float


class TokenBuckets:
    """Keep a token bucket for each key: `per_second` come in over time, at most `capacity` are in it.

    `clock` counts seconds. Of more than 10,000 keys the longest unseen is forgotten, and begins anew.
    """

    def __init__(self, per_second: float, capacity: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_second = per_second
        self._capacity = capacity
        self._clock = clock
        self._buckets: LRUCache[Hashable, _Bucket] = LRUCache(MAX_KEYS)

    def acquire(self, key: Hashable) -> None:
        """Take one. Raises RateLimitedError, which says in how many seconds there will be one again."""
        bucket = self._filled(key)
        if bucket.tokens < 1:
            raise RateLimitedError(math.ceil((1 - bucket.tokens) / self._per_second))
        bucket.tokens -= 1

    def check(self, key: Hashable) -> None:
        """Raise RateLimitedError while more was charged than there was."""
        bucket = self._filled(key)
        if bucket.tokens < 0:
            raise RateLimitedError(max(1, math.ceil(-bucket.tokens / self._per_second)))

    def charge(self, key: Hashable, amount: float) -> None:
        """Take an amount that is used already, even if less is there."""
        self._filled(key).tokens -= amount

    def _filled(self, key: Hashable) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(self._capacity, now)
        bucket.tokens = min(self._capacity, bucket.tokens + (now - bucket.at) * self._per_second)
        bucket.at = now
        return bucket


class RateLimiter:
    """Count the operations of each principal: `per_second` over time, those of `burst` seconds at once."""

    def __init__(
        self, per_second: int, clock: Callable[[], float] = time.monotonic, burst: float = BURST_SECONDS
    ) -> None:
        self._buckets = TokenBuckets(per_second, per_second * burst, clock)

    def acquire(self, principal: Principal) -> None:
        """Count one operation. Raises RateLimitedError, which says in how many seconds the next may come."""
        self._buckets.acquire((principal.robot_id, principal.subject))

    def charge(self, principal: Principal, operations: int) -> None:
        """Count more for an operation that was let in. It is not refused for that: those after it wait longer."""
        self._buckets.charge((principal.robot_id, principal.subject), operations)


class CpuBudget:
    """Count the processor time that unusual requests of each principal take.

    Over time that is a `share` of one core, and `burst` seconds at once. It is charged after it was used: a principal
    may overdraw it once, and then waits.
    """

    def __init__(self, share: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = TokenBuckets(share, burst, clock)
        # Kept by those who hold them or wait for them.
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def spend(self, principal: Principal, work: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        """Return the result of some work, which also says how many seconds of processor time it took.

        One work of a principal is done at a time, so that what came at once is refused as soon as the budget is
        overdrawn, and nobody else waits for it. It is charged even if nobody waits for the result any more. Raises
        RateLimitedError while the budget is overdrawn.
        """
        return await asyncio.shield(asyncio.create_task(self._spend(principal, work), name="spending"))

    async def _spend(self, principal: Principal, work: Callable[[], Awaitable[tuple[T, float]]]) -> T:
        key = (principal.robot_id, principal.subject)
        turn = self._turns.setdefault(key, asyncio.Lock())
        async with turn:
            self.check(principal)
            result, seconds = await work()
            self.charge(principal, seconds)
        return result

    def check(self, principal: Principal) -> None:
        """Raise RateLimitedError, which says for how many seconds, while the principal has overdrawn its budget."""
        self._buckets.check((principal.robot_id, principal.subject))

    def charge(self, principal: Principal, seconds: float) -> None:
        """Count so many seconds of processor time."""
        self._buckets.charge((principal.robot_id, principal.subject), seconds)


class RefusalLimiter:
    """Count the requests of each address that had no valid credentials; those that have some are never counted."""

    def __init__(self, per_second: int, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._buckets = TokenBuckets(per_second, per_second * burst, clock)

    def acquire(self, address: str) -> None:
        """Count one refusal. Raises RateLimitedError, which says when an answer may be had again."""
        self._buckets.acquire(_network_of(address))


def _network_of(address: str) -> str:
    """Return the address, or the first 64 bits of an IPv6 address; anything else as it is."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address, IPV6_NETWORK_BITS), strict=False))
    except ValueError:
        return address


class OpenLimit:
    """Count what each principal has open, `what` in an error: at most `limit` at once."""

    def __init__(self, what: str, limit: int) -> None:
        self._what = what
        self._limit = limit
        self._open: Counter[tuple[str, str]] = Counter()

    @property
    def total(self) -> int:
        """Return how many are open, of all principals."""
        return self._open.total()

    @contextmanager
    def reserve(self, principal: Principal) -> Iterator[None]:
        """Count one more as long as this is open. Raises LimitExceededError when `limit` are open already."""
        self.acquire(principal)
        try:
            yield
        finally:
            self.release(principal)

    def acquire(self, principal: Principal) -> None:
        """Count one more until `release`. Raises LimitExceededError when `limit` are open already."""
        key = (principal.robot_id, principal.subject)
        if self._open[key] >= self._limit:
            raise LimitExceededError(f"At most {self._limit:,} {self._what} of one principal may be open.")
        self._open[key] += 1

    def release(self, principal: Principal) -> None:
        """Count one less, which `acquire` counted."""
        key = (principal.robot_id, principal.subject)
        self._open[key] -= 1
        if not self._open[key]:
            del self._open[key]
