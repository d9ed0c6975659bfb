"""List the benchmarks in the order of the report. A new one is a module with `measure` and a line here."""

from typing import Final, Protocol

from benchmarks import (
    algebra,
    as_of,
    block_sizes,
    broadcasts,
    combos,
    console,
    events,
    follower_import,
    forecast,
    growth,
    hints,
    hostile,
    open_pages,
    processes,
    pushes,
    queries,
    reading,
    return_data,
    scheduled_runs,
    sync,
    webhooks,
)
from benchmarks.harness import Table
from benchmarks.machine import Machine


class Benchmark(Protocol):
    """Describe a module of a benchmark."""

    __name__: str

    async def measure(self, machine: Machine, /) -> list[Table]:
        """Measure on a freshly loaded channel, which may be changed at will."""
        ...


MODULES: Final[tuple[Benchmark, ...]] = (
    scheduled_runs,
    events,
    pushes,
    return_data,
    growth,
    follower_import,
    reading,
    algebra,
    as_of,
    forecast,
    hints,
    combos,
    sync,
    webhooks,
    broadcasts,
    queries,
    hostile,
    block_sizes,
    processes,
    open_pages,
    console,
)
BENCHMARKS: Final = {module.__name__.rpartition(".")[2]: module for module in MODULES}
