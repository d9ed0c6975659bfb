"""What time it is: one function, handed to everything that needs the time."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def make_clock(offset_file: str | None) -> Clock:
    """Make a clock that answers aware UTC times.

    With `offset_file`, the clock runs ahead of the system by the number of seconds written in that file (a
    float; negative runs behind; a missing or empty file means 0). The file is read again as soon as it
    changes, so a test can move the time of several processes at once. Replace the file in one step: a
    half-written number raises ValueError.
    """
    return system_clock if offset_file is None else _OffsetClock(Path(offset_file))


def system_clock() -> datetime:
    """Read the system's time, aware and in UTC."""
    return datetime.now(UTC)


class _OffsetClock:
    """The system's time plus the seconds found in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file_state: tuple[int, int, int] | None = None
        self._offset = timedelta()

    def __call__(self) -> datetime:
        return system_clock() + self._current_offset()

    def _current_offset(self) -> timedelta:
        try:
            found = os.stat(self._path)  # noqa: PTH116 - called for every reading of the time; Path.stat costs more
            file_state = (found.st_ino, found.st_mtime_ns, found.st_size)
            if file_state != self._file_state:
                self._offset = timedelta(seconds=float(self._path.read_text(encoding="ascii").strip() or 0))
                self._file_state = file_state
        except FileNotFoundError:
            self._file_state, self._offset = None, timedelta()
        return self._offset
