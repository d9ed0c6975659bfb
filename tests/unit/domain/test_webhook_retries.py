"""Wait longer after each failure, never before the time that was asked for, and not all at the same instant."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.webhooks.delivery.retries import retry_delay

SECOND = timedelta(seconds=1)
DAYS = timedelta(days=1)
NO_TIME = timedelta(0)


def test_the_schedule() -> None:
    delays = [retry_delay(attempts, NO_TIME, None, 0.5) for attempts in range(1, 10)]
    assert delays[0] == 5 * SECOND
    assert all(later == 2 * earlier for earlier, later in pairwise(delays[:7]))
    assert delays[8] == timedelta(minutes=15)
    assert retry_delay(10**9, 2 * DAYS, None, 0.5) == timedelta(minutes=15)
    assert retry_delay(10**9, 3 * DAYS, None, 0.5) == timedelta(hours=1)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_the_first_is_within_a_minute_and_all_vary_by_a_fifth(attempts: int, draw: float) -> None:
    middle = retry_delay(attempts, NO_TIME, None, 0.5)
    delay = retry_delay(attempts, NO_TIME, None, draw)
    assert 0.8 * middle - SECOND / 1000 <= delay <= 1.2 * middle + SECOND / 1000
    assert retry_delay(1, NO_TIME, None, draw) < 60 * SECOND


@given(st.integers(1, 100), st.integers(0, 86_400), st.floats(0, 1))
def test_what_was_asked_for_is_honoured(attempts: int, seconds: int, draw: float) -> None:
    asked = seconds * SECOND
    assert retry_delay(attempts, NO_TIME, asked, draw) >= max(asked, 5 * SECOND)
    assert retry_delay(attempts, 4 * DAYS, asked, draw) >= max(asked, timedelta(hours=1))


@pytest.mark.parametrize("draw", [0.0, 1.0])
def test_the_longest_wait_is_little_more_than_a_day(draw: float) -> None:
    assert retry_delay(5, 5 * DAYS, DAYS, draw) <= 1.2 * DAYS
