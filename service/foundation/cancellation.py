"""Cancel tasks reliably.

One request is not enough: in Python 3.11 `asyncio.wait_for`, with which redis-py sends, swallows a cancellation that
arrives together with its result.
"""

import asyncio
from typing import Any, Final

CANCEL_RETRY_INTERVAL: Final = 0.5


def raise_if_cancelled() -> None:
    """Raise CancelledError if the current task was cancelled and the cancellation was swallowed."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def cancel_and_wait(*tasks: "asyncio.Future[Any]") -> None:
    """Cancel tasks, again every half second, until all are done. Their own errors are dropped."""
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=CANCEL_RETRY_INTERVAL)
        for task in done:
            if not task.cancelled():
                task.exception()
