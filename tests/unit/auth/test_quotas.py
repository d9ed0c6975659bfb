"""Count the operations of a principal in a bucket that refills."""

import pytest

from service.auth.quotas import CpuBudget, RateLimiter, RefusalLimiter
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


def test_a_budget_may_be_overdrawn_once_and_fills_up_again() -> None:
    now = 0.0
    budget = CpuBudget(0.5, 2.0, lambda: now)
    budget.check(admin())
    budget.charge(admin(), 3.0)
    with pytest.raises(RateLimitedError) as limited:
        budget.check(admin())
    assert limited.value.retry_after == 2
    budget.check(admin("another robot"))
    now = 2.0
    budget.check(admin())


def test_addresses_of_one_ipv6_network_count_together() -> None:
    limiter = RefusalLimiter(1, 1.0, lambda: 0.0)
    for address in ("2001:db8::1", "2001:db9::1", "192.0.2.1", "192.0.2.2", ""):
        limiter.acquire(address)
    for address in ("2001:db8::ffff", "2001:db9::2", "192.0.2.1", ""):
        with pytest.raises(RateLimitedError):
            limiter.acquire(address)
