"""Measure how a request disturbs everybody else: how long it holds the event loop of a web process, and their latency.

The process tells by `/metrics` how long its loop was held; another client sends a small request again and again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import httpx
from prometheus_client.parser import text_string_to_metric_families

# Seconds: no request may hold the loop longer.
MAX_STALL: Final = 0.05
# Garbage may be collected meanwhile, for example; what a request does, it does each time.
ATTEMPTS: Final = 3
# Without the time in which a busy machine ran something else.
STALLS: Final = "user_tags_event_loop_cpu_stall_seconds"


@dataclass(frozen=True)
class Disturbance:
    """Hold what the others saw, in seconds: the longest stall, rounded up to its bucket, and the slowest answer."""

    stall: float
    latency: float

    def __str__(self) -> str:
        """Return both in words."""
        return f"the loop was held for up to {self.stall:g} s, and somebody waited {self.latency:.3f} s"


async def disturbance(url: str, request: Callable[[], Awaitable[object]]) -> Disturbance:
    """Return how the web process at `url` was disturbed while a request was sent and answered."""
    # The answers of the request itself go over other connections.
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as http:
        before = await _stall_counts(http)
        with _probing(http) as latencies:
            await request()
        # A tick that is late because of the last thing that happened comes after it.
        after = await _stall_counts(http, after=sum(before.values()) + 2)
    grown = [bound for bound, count in after.items() if count > before[bound]]
    return Disturbance(max(grown, default=0.0), max(latencies, default=0.0))


async def assert_undisturbed(url: str, request: Callable[[], Awaitable[object]]) -> None:
    """Fail if a request holds the loop of the web process at `url` for more than 50 ms each time it is sent."""
    seen = []
    for _ in range(ATTEMPTS):
        seen.append(await disturbance(url, request))
        if seen[-1].stall <= MAX_STALL:
            return
    raise AssertionError("; ".join(map(str, seen)))


@contextmanager
def _probing(http: httpx.AsyncClient) -> Iterator[list[float]]:
    """Send a small request over and over, and collect how long each answer took."""
    latencies: list[float] = []

    async def probe() -> None:
        while True:
            begun = time.perf_counter()
            try:
                (await http.get("/healthz")).raise_for_status()
            finally:
                latencies.append(time.perf_counter() - begun)

    probing = asyncio.create_task(probe(), name="probe")
    try:
        yield latencies
    finally:
        probing.cancel()
        probing.add_done_callback(lambda task: task.cancelled() or task.exception())


async def _stall_counts(http: httpx.AsyncClient, after: float = 0) -> dict[float, float]:
    """Return how many ticks there were in each bucket, by its upper bound, once there were more than `after`."""
    while True:
        text = (await http.get("/metrics")).text
        (family,) = [each for each in text_string_to_metric_families(text) if each.name == STALLS]
        counts = {}
        below = 0.0
        for each in family.samples:
            if each.name == f"{STALLS}_bucket":
                counts[float(each.labels["le"])] = each.value - below
                below = each.value
        if below > after:
            return counts
