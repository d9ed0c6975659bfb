"""The figures that long tests saw, which are shown when all have run."""

from typing import Final

FIGURES: Final[list[str]] = []


def report_figure(line: str) -> None:
    FIGURES.append(line)
    print(line)
