"""Go through lists in slices, and let others run between them."""

import asyncio

from service.foundation.slices import in_slices


async def test_all_items_come_in_order_and_others_run_between_the_slices() -> None:
    ran = 0

    async def other() -> None:
        nonlocal ran
        while True:
            ran += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    slices = [list(each) async for each in in_slices(range(5), 2)]
    task.cancel()

    assert slices == [[0, 1], [2, 3], [4]]
    assert ran == 2
    nothing: list[int] = []
    assert [each async for each in in_slices(nothing, 2)] == []
