"""Count the operations of a principal in a bucket that refills."""

import pytest

from service.auth.quotas import RateLimiter
from service.entities.errors import RateLimitedError
from tests.support.runtime import admin


def test_what_is_charged_makes_the_next_operations_wait() -> None:
    now = 0.0
    rate_limiter = RateLimiter(2, lambda: now)
    rate_limiter.acquire(admin())
    rate_limiter.charge(admin(), 51)
    with pytest.raises(RateLimitedError) as raised:
        rate_limiter.acquire(admin())
    assert raised.value.retry_after == 22
    rate_limiter.acquire(admin("another robot"))
    now = 21.5
    rate_limiter.acquire(admin())


def test_a_bucket_refills_as_time_passes_and_never_overflows() -> None:
    now = 0.0
    rate_limiter = RateLimiter(2, lambda: now)
    for _ in range(10):
        rate_limiter.acquire(admin())
    with pytest.raises(RateLimitedError):
        rate_limiter.acquire(admin())
    rate_limiter.acquire(admin("another robot"))
    now = 0.5
    rate_limiter.acquire(admin())
    now = 1_000.0
    for _ in range(10):
        rate_limiter.acquire(admin())
    with pytest.raises(RateLimitedError):
        rate_limiter.acquire(admin())
