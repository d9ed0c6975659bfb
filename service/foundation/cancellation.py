"""Ending tasks of our own, whatever they are doing.

Asking once is not enough: `asyncio.wait_for`, which redis-py sends with, swallows a cancellation that comes together
with its result (Python 3.11).
"""

import asyncio
from typing import Any, Final

CANCEL_RETRY_INTERVAL: Final = 0.5


def raise_if_cancelled() -> None:
    """Raises CancelledError if somebody cancelled the current task and it was swallowed."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def cancel_and_wait(*tasks: "asyncio.Future[Any]") -> None:
    """Cancels and waits until all are done; what they failed with is not raised."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=CANCEL_RETRY_INTERVAL)
        for task in done:
            if not task.cancelled():
                task.exception()
