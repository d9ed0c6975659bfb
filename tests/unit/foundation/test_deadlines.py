"""End a block when its time is over or its client has left, and no other."""

import asyncio
from datetime import timedelta

import pytest

from service.foundation.deadlines import Deadlines

LONG = timedelta(seconds=60)


async def test_a_block_whose_client_leaves_is_ended_and_the_others_go_on() -> None:
    deadlines = Deadlines(LONG, watched_after=0.01)
    left, over = asyncio.Event(), asyncio.Event()

    async def work(departure: asyncio.Event | None) -> str:
        with deadlines.start(None if departure is None else departure.wait):
            await over.wait()
        return "done"

    leaving = [asyncio.create_task(work(left)) for _ in range(3)]
    staying = [asyncio.create_task(work(each)) for each in (asyncio.Event(), None)]
    await asyncio.sleep(0)
    later = asyncio.create_task(work(asyncio.Event()))
    left.set()
    for each in leaving:
        with pytest.raises(TimeoutError):
            await each
    over.set()
    assert await asyncio.gather(*staying, later) == ["done"] * 3


async def test_a_block_that_takes_too_long_is_ended_whether_its_client_waits_or_not() -> None:
    deadlines = Deadlines(timedelta(milliseconds=30), watched_after=0.01)
    for departure in (None, asyncio.Event().wait):
        with pytest.raises(TimeoutError), deadlines.start(departure):
            await asyncio.Event().wait()


async def test_who_leaves_after_the_end_ends_nothing_else() -> None:
    deadlines = Deadlines(LONG, watched_after=0)
    left = asyncio.Event()
    with deadlines.start(left.wait):
        await asyncio.sleep(0.01)
    left.set()
    for _ in range(5):
        await asyncio.sleep(0)
