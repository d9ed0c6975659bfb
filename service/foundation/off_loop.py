"""Run long computations beside the event loop, so that it serves others meanwhile."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

# Seconds for which one thread may compute while another waits: the loop takes its turn that soon.
SWITCH_INTERVAL: Final = 0.0005
# One thread: several would only take more turns from the loop.
_executor: Final = ThreadPoolExecutor(1, thread_name_prefix="off-loop")


async def run_off_loop(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> tuple[T, float]:
    """Return what a function returns, and the seconds of processor time that it took; one runs at a time.

    It must not touch what the loop changes.
    """

    def run() -> tuple[T, float]:
        begun = time.thread_time()
        result = function(*args, **kwargs)
        return result, time.thread_time() - begun

    return await asyncio.get_running_loop().run_in_executor(_executor, run)
