"""Compare the start of a web process with that of an empty Python; measure memory, worker and `verify`."""

import asyncio
import statistics
import sys
import time
from typing import Final

from benchmarks.harness import MIB, Table, multiple, seconds
from benchmarks.machine import Machine
from benchmarks.programs import program, resident_bytes, web_process

STARTS: Final = 3
POLL_INTERVAL: Final = 0.02


async def measure(machine: Machine) -> list[Table]:
    """Measure starts, then a worker that catches up, then `verify` on what it left."""
    bare = statistics.median([await seconds(_bare_python) for _ in range(STARTS)])
    starts, web_memory = [], 0
    for _ in range(STARTS):
        async with web_process(machine) as web:
            starts.append(web.started_in)
            web_memory = resident_bytes(web.pid)
    run, worker_memory = await _worker(machine)
    verify = await _verify(machine)
    table = Table(
        "Processes",
        f"Medians of {STARTS} starts. The worker's first run makes up for months: everyone with a boundary crosses it. "
        "Memory is resident; the client of PostgreSQL holds no more than some blocks at a time.",
    )
    start = statistics.median(starts)
    table.add("an empty Python process", bare, "s", "1 ×", "the limit")
    table.add("web serves", start, "s", multiple(start, bare), "from its start to the first connection")
    table.add("worker has caught up", run, "s", "", "from its start to the end of the run")
    table.add("memory of web", web_memory / MIB, "MiB", "", "after its start; under load see the pushes")
    table.add("memory of the worker", worker_memory / MIB, "MiB", "", "the most it had")
    table.add("`user-tags verify`", verify, "s", "", f"{verify / machine.users * 1e6:.2f} µs a user, no differences")
    return [table]


async def _bare_python() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    await process.wait()


async def _worker(machine: Machine) -> tuple[float, int]:
    """Return the seconds until the worker had caught up, and the most resident memory it had until then."""
    query = "select default_tags_as_of from channel_state"
    before = await machine.admin.fetchval(query)
    started = time.perf_counter()
    most = 0
    async with program(machine, "worker") as process:
        while await machine.admin.fetchval(query) == before:
            if process.returncode is not None:
                raise RuntimeError(f"the worker ended with {process.returncode}")
            most = max(most, resident_bytes(process.pid))
            await asyncio.sleep(POLL_INTERVAL)
        return time.perf_counter() - started, max(most, resident_bytes(process.pid))


async def _verify(machine: Machine) -> float:
    started = time.perf_counter()
    async with program(machine, "verify") as process:
        if await process.wait() != 0:
            raise RuntimeError("verify found differences")
    return time.perf_counter() - started
