"""The figures that long tests saw, which are shown when all have run."""

from typing import Final

SEEN: Final[list[str]] = []


def note(line: str) -> None:
    SEEN.append(line)
    print(line)
