"""Rounds, medians and ratios. Absolute times say little about other machines; ratios in one run do."""

import os
import platform
import statistics
import subprocess
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

RESULTS: Final = Path(__file__).with_name("RESULTS.md")
ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Row:
    """One measured thing. `ratio` compares it with the baseline of its table; `note` says what was counted."""

    what: str
    value: float
    unit: str
    ratio: str = ""
    note: str = ""


@dataclass(slots=True)
class Table:
    """The rows of one measurement and what they mean."""

    title: str
    explanation: str
    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str, ratio: str = "", note: str = "") -> None:
        self.rows.append(Row(what, value, unit, ratio, note))

    def text(self) -> str:
        lines = [
            f"### {self.title}",
            "",
            self.explanation,
            "",
            "| What | Measured | Ratio | Note |",
            "|---|---:|---:|---|",
        ]
        lines += [f"| {row.what} | {row.value:,.4g} {row.unit} | {row.ratio} | {row.note} |" for row in self.rows]
        return "\n".join(lines)


async def median_seconds(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> float:
    """The median duration of some rounds, after one that does not count."""
    await work()
    durations = []
    for _ in range(rounds):
        started = time.perf_counter()
        await work()
        durations.append(time.perf_counter() - started)
    return statistics.median(durations)


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long something takes that can be done only once."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def times(part: float, whole: float) -> str:
    """`whole` in units of `part`."""
    return f"{whole / part:,.2f} ×"


def write_results(tables: list[Table], users: int) -> str:
    """The whole report, also kept in RESULTS.md."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    head = (
        "# Benchmarks\n\n"
        f"{datetime.now(UTC):%Y-%m-%d}, commit {commit.stdout.strip() or 'unknown'}, {os.cpu_count()} cores, "
        f"{memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}; {users:,} users in one channel; "
        "client, service and database share the machine.\n\n"
        "Written by `make bench`. Compare ratios, not times."
    )
    text = "\n\n".join([head, *(table.text() for table in tables)]) + "\n"
    RESULTS.write_text(text, encoding="utf-8")
    return text
