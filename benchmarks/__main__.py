"""`python -m benchmarks [--users N]`: measures everything and writes RESULTS.md."""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks import events, pushes, reading, scheduled_runs
from benchmarks.harness import Table, write_results
from benchmarks.loading import load_users
from benchmarks.machine import machine

CROSSING = 0.01


async def measure_all(users: int, place: Path) -> list[Table]:
    async with machine(place) as bench:
        started = time.perf_counter()
        await load_users(bench.admin, bench.channel, users, crossing=CROSSING)
        print(f"loaded {users:,} users in {time.perf_counter() - started:.0f} s", flush=True)
        return [
            await scheduled_runs.measure(bench, crossing=CROSSING),
            await events.measure(bench, users),
            await reading.measure(bench, users),
            await pushes.measure(bench, users),
        ]


def main() -> None:
    arguments = argparse.ArgumentParser(description="Measure the service side by side with baselines and limits.")
    arguments.add_argument("--users", type=int, default=1_000_000)
    users: int = arguments.parse_args().users
    with tempfile.TemporaryDirectory(prefix="user-tags-bench-") as place:
        # An embedded PostgreSQL run by root belongs to another account, which must get in.
        Path(place).chmod(0o711)
        print(write_results(asyncio.run(measure_all(users, Path(place) / "data")), users))


if __name__ == "__main__":
    main()
