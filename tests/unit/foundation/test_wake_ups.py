"""Collect what a loop has to look at."""

import asyncio

from service.foundation.wake_ups import WakeUps


async def test_what_is_woken_many_times_is_taken_once() -> None:
    wake_ups: WakeUps[int] = WakeUps()
    for key in (1, 2, 1):
        wake_ups.wake(key)
    assert await wake_ups.take(0) == {1, 2}
    assert await wake_ups.take(0) == set()


async def test_a_loop_that_waits_is_woken() -> None:
    wake_ups: WakeUps[str] = WakeUps()
    waiting = asyncio.create_task(wake_ups.take(60))
    await asyncio.sleep(0)
    wake_ups.wake("a")
    assert await waiting == {"a"}
    # What comes while the loop is busy waits for it.
    wake_ups.wake("b")
    assert await wake_ups.take(60) == {"b"}
