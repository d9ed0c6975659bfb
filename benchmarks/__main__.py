"""Load a channel, measure, and write RESULTS.md: `python -m benchmarks`.

--users N        size of the channel (1,000,000)
--only A,B       run some of the benchmarks; the other tables of RESULTS.md stay as they are
--data-dir DIR   keep the loaded channel there, and use it again unless the code that loads it has changed
"""

import argparse
import tempfile
import time
from pathlib import Path

import uvloop

from benchmarks.machine import fresh_machine, loaded_servers
from benchmarks.registry import BENCHMARKS
from benchmarks.results import write_results


async def measure_all(users: int, names: list[str], data_dir: Path) -> None:
    """Run the named benchmarks, each on a fresh copy of the loaded channel, and print and write their tables."""
    async with loaded_servers(data_dir, users) as servers:
        for name in names:
            started = time.perf_counter()
            async with fresh_machine(servers, users) as machine:
                copied = time.perf_counter() - started
                tables = await BENCHMARKS[name].measure(machine)
            print(write_results(users, name, tables, list(BENCHMARKS)), flush=True)
            print(f"\n[{name}: {time.perf_counter() - started:.0f} s, {copied:.0f} of them to copy the channel]\n")


def main() -> None:
    """Read the arguments and run the benchmarks, by default in a temporary directory; on the service's event loop."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure, and write RESULTS.md.")
    arguments.add_argument("--users", type=int, default=1_000_000, help="size of the channel (1,000,000)")
    arguments.add_argument("--only", default="", help=f"some of {', '.join(BENCHMARKS)}, separated by commas")
    arguments.add_argument("--data-dir", type=Path, help="keep the loaded channel there for the next time")
    given = arguments.parse_args()
    names = [name for name in given.only.split(",") if name] or list(BENCHMARKS)
    if unknown := set(names) - BENCHMARKS.keys():
        arguments.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    if given.data_dir is not None:
        uvloop.run(measure_all(given.users, names, given.data_dir))
        return
    with tempfile.TemporaryDirectory(prefix="user-tags-bench-") as directory:
        # Started by root, the embedded PostgreSQL runs as another account, which must be able to enter.
        Path(directory).chmod(0o711)
        uvloop.run(measure_all(given.users, names, Path(directory) / "data"))


if __name__ == "__main__":
    main()
