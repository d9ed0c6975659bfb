"""Wait without sleeping."""

from itertools import count

import pytest

from tests.support.waiting import wait_until


async def test_it_returns_the_first_truthy_answer() -> None:
    answers = count()
    assert await wait_until(lambda: next(answers)) == 1


async def test_it_takes_an_async_condition() -> None:
    async def answer() -> str:
        return "yes"

    assert await wait_until(answer) == "yes"


async def test_out_of_time_it_shows_the_last_answer() -> None:
    with pytest.raises(AssertionError, match=r"was not true within 0\.02 s; the last answer was \[\]"):
        await wait_until(list[int], within=0.02)
