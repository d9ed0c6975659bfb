"""Tell the time, through one function that is handed to everything that needs it."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def make_clock(offset_file: str | None) -> Clock:
    """Return a clock that answers aware UTC times.

    With `offset_file` it runs ahead of the system by the seconds written in that file: a float, negative to run behind,
    0 if the file is missing or empty. The file is read again when it changes, so that a test can move the time of
    several processes at once. Replace it in one step: the clock raises ValueError on a half-written number.
    """
    return system_clock if offset_file is None else _OffsetClock(Path(offset_file))


def system_clock() -> datetime:
    """Return the time of the system, aware and in UTC."""
    return datetime.now(UTC)


def format_time(at: datetime | None) -> str:
    """Return a UTC time as a phrase for people, as in "on 2026-03-01 at 09:30:00 UTC"."""
    return "at an unknown time" if at is None else f"on {at:%Y-%m-%d} at {at:%H:%M:%S} UTC"


class _OffsetClock:
    """Answer the time of the system plus the seconds found in a file."""

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
