"""Serve ten thousand pages in turns, between which other work is done."""

import asyncio
from functools import partial
from typing import Any

from service.foundation.turns import CALLS_PER_TURN, TurnScheduler
from tests.support.waiting import wait_until


async def test_all_are_called_in_order_and_others_have_their_turn_between() -> None:
    rounds, done, turns = TurnScheduler(), list[int](), list[int]()
    pages = list(range(3 * CALLS_PER_TURN + 1))
    for page in pages:
        rounds.add(partial(done.append, page))
    while len(done) < len(pages):
        await asyncio.sleep(0)
        turns.append(len(done))
    assert done == pages
    assert turns == [CALLS_PER_TURN, 2 * CALLS_PER_TURN, 3 * CALLS_PER_TURN, len(pages)]


async def test_an_error_in_one_page_leaves_the_others_alone() -> None:
    rounds, done, heard = TurnScheduler(), list[int](), list[dict[str, Any]]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    try:
        rounds.add(partial(done.append, 1))
        rounds.add(partial(done.remove, 7))
        rounds.add(partial(done.append, 2))
        await wait_until(lambda: done == [1, 2])
    finally:
        loop.set_exception_handler(None)
    assert [type(each["exception"]) for each in heard] == [ValueError]
