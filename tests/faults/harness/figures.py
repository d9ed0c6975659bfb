"""Collect the figures of long tests, to be shown when all have run."""

from typing import Final

FIGURES: Final[list[str]] = []


def report_figure(line: str) -> None:
    FIGURES.append(line)
    print(line)
