"""Tables of what was measured, and how durations are taken: rounds, medians, ratios.

Absolute times say little about other machines; ratios within one run do.
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
    """The median duration of some rounds, after one that does not count."""
    await work()
    return statistics.median([await seconds(work) for _ in range(rounds)])


async def medians_side_by_side(
    works: Sequence[Callable[[], Awaitable[object]]], rounds: int = ROUNDS
) -> tuple[float, ...]:
    """The median duration of each, taken in turns, so that whatever else the machine does hits all of them alike."""
    for work in works:
        await work()
    durations: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, taken in zip(works, durations, strict=True):
            taken.append(await seconds(work))
    return tuple(statistics.median(taken) for taken in durations)


async def seconds(work: Callable[[], Awaitable[object]]) -> float:
    """How long something takes that can be done only once."""
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


def multiple(value: float, unit_value: float) -> str:
    """`value` as a multiple of the baseline `unit_value`."""
    return f"{value / unit_value:,.2f} ×"


def speedup(value: float, baseline: float) -> str:
    """How many times sooner `value` was over than `baseline`."""
    return f"{baseline / value:,.1f} × faster"


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
