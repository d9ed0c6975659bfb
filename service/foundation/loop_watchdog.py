"""Measure how long the event loop of a process is held: while it is, nobody else is served."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

# Seconds between ticks: often enough to see a stall, seldom enough that an idle process does almost nothing.
TICK: Final = 0.03


@contextmanager
def watch_loop(report: Callable[[float, float], None]) -> Iterator[None]:
    """Report by how many seconds each tick of the running loop is late, at least 0, as long as this is open.

    The second number is how much of that its own computing explains; for the rest it waited, mostly for a processor.
    What holds the loop for `n` seconds makes one tick late by `n`, less at most one TICK.
    """
    loop = asyncio.get_running_loop()
    last_tick, last_cpu = time.perf_counter(), time.thread_time()
    timer: asyncio.TimerHandle

    def tick() -> None:
        nonlocal last_tick, last_cpu, timer
        now, cpu = time.perf_counter(), time.thread_time()
        late = max(0.0, now - last_tick - TICK)
        report(late, min(late, cpu - last_cpu))
        last_tick, last_cpu, timer = now, cpu, loop.call_later(TICK, tick)

    timer = loop.call_later(TICK, tick)
    try:
        yield
    finally:
        timer.cancel()
