"""Measure durations in rounds, and write tables with medians and ratios.

Ratios within one run hold on other machines; absolute times do not.
"""

import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

ROUNDS: Final = 5
KIB: Final = 1024
MIB: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """Hold one measurement. `ratio` compares it with the baseline of its table; `note` says what was counted."""

    what: str
    value: float
    unit: str
    ratio: str = ""
    note: str = ""


@dataclass(slots=True)
class Table:
    """Hold the rows of one benchmark, and explain them."""

    title: str
    explanation: str
    rows: list[Row] = field(default_factory=list)

    def add(self, what: str, value: float, unit: str, ratio: str = "", note: str = "") -> None:
        """Append a row."""
        self.rows.append(Row(what, value, unit, ratio, note))

    def text(self) -> str:
        """Return the table in Markdown."""
        lines = [
            f"#### {self.title}",
            "",
            self.explanation,
            "",
            "| What | Measured | Ratio | Note |",
            "|---|---:|---:|---|",
        ]
        lines += [f"| {row.what} | {_number(row.value)} {row.unit} | {row.ratio} | {row.note} |" for row in self.rows]
        return "\n".join(lines)


async def median_seconds(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> float:
    """Return the median duration of some rounds in seconds, after one that does not count."""
    await work()
    return statistics.median([await seconds(work) for _ in range(rounds)])


async def medians_side_by_side(
    works: Sequence[Callable[[], Awaitable[object]]], rounds: int = ROUNDS
) -> tuple[float, ...]:
    """Return the median durations, measured in turns so that other load on the machine affects all alike."""
    for work in works:
        await work()
    durations: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, durations, strict=True):
            taken.append(await seconds(work))
    return tuple(statistics.median(taken) for taken in durations)


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """Return how many seconds it takes to do something once."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def multiple(value: float, baseline: float) -> str:
    """Return `value` as a multiple of the baseline, as text."""
    return f"{value / baseline:,.2f} ×"


def speedup(value: float, baseline: float) -> str:
    """Return how many times faster `value` seconds are than `baseline` seconds, as text."""
    return f"{baseline / value:,.1f} × faster"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
