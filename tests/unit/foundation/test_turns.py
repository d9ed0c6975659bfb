"""Serve ten thousand pages in turns, between which other work is done."""

import asyncio
from functools import partial
from typing import Any

from service.foundation.turns import CALLS_PER_TURN, TurnScheduler
from tests.support.waiting import wait_until


async def test_all_are_told_in_order_and_others_have_their_turn_between() -> None:
    rounds, told, turns = TurnScheduler(), list[int](), list[int]()
    everybody = list(range(3 * CALLS_PER_TURN + 1))
    for page in everybody:
        rounds.add(partial(told.append, page))
    while len(told) < len(everybody):
        await asyncio.sleep(0)
        turns.append(len(told))
    assert told == everybody
    assert turns == [CALLS_PER_TURN, 2 * CALLS_PER_TURN, 3 * CALLS_PER_TURN, len(everybody)]


async def test_an_error_in_one_page_leaves_the_others_alone() -> None:
    rounds, told, heard = TurnScheduler(), list[int](), list[dict[str, Any]]()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    try:
        rounds.add(partial(told.append, 1))
        rounds.add(partial(told.remove, 7))
        rounds.add(partial(told.append, 2))
        await wait_until(lambda: told == [1, 2])
    finally:
        loop.set_exception_handler(None)
    assert [type(each["exception"]) for each in heard] == [ValueError]
