"""Count the operations of a principal in a bucket that refills."""

import asyncio
from functools import partial

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


async def test_work_that_comes_at_once_is_refused_as_soon_as_the_budget_is_overdrawn() -> None:
    budget = CpuBudget(0.5, 2.0, lambda: 0.0)
    done: list[str] = []

    async def work(robot: str) -> tuple[str, float]:
        await asyncio.sleep(0)
        done.append(robot)
        return robot, 1.5

    asked = [budget.spend(admin(robot), partial(work, robot)) for robot in ["greedy"] * 10 + ["modest"]]
    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert answers[:2] == ["greedy", "greedy"]
    assert all(isinstance(each, RateLimitedError) for each in answers[2:10])
    assert answers[10] == "modest"
    assert done.count("greedy") == 2


async def test_work_is_charged_although_nobody_waits_for_its_result() -> None:
    budget = CpuBudget(0.5, 2.0, lambda: 0.0)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def work() -> tuple[None, float]:
        begun.set()
        await may_end.wait()
        return None, 3.0

    asking = asyncio.create_task(budget.spend(admin(), work))
    await begun.wait()
    asking.cancel()
    may_end.set()
    with pytest.raises(RateLimitedError):
        await budget.spend(admin(), work)


def test_addresses_of_one_ipv6_network_count_together() -> None:
    limiter = RefusalLimiter(1, 1.0, lambda: 0.0)
    for address in ("2001:db8::1", "2001:db9::1", "192.0.2.1", "192.0.2.2", ""):
        limiter.acquire(address)
    for address in ("2001:db8::ffff", "2001:db9::2", "192.0.2.1", ""):
        with pytest.raises(RateLimitedError):
            limiter.acquire(address)
