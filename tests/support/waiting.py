"""Wait for something to become true, instead of sleeping and hoping."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

Result = TypeVar("Result")

POLL_INTERVAL = 0.01
# Seconds after which something is stuck; a loaded machine takes its time.
PATIENCE = 30.0


@overload
async def wait_until(condition: Callable[[], Awaitable[Result | None]], *, within: float = PATIENCE) -> Result: ...
@overload
async def wait_until(condition: Callable[[], Result | None], *, within: float = PATIENCE) -> Result: ...
async def wait_until(condition: Callable[[], object], *, within: float = PATIENCE) -> object:
    """Ask `condition`, sync or async, every 10 ms, and return its first truthy answer.

    Raises AssertionError with the last answer when `within` seconds have passed.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        answer = condition()
        if inspect.isawaitable(answer):
            answer = await answer
        if answer:
            return answer
        if loop.time() >= deadline:
            what = getattr(condition, "__qualname__", repr(condition))
            raise AssertionError(f"{what} was not true within {within:g} s; the last answer was {answer!r}")
        await asyncio.sleep(POLL_INTERVAL)
