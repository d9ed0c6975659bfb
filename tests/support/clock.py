"""Give tests a clock that stands still, one that ticks, and one file that moves the clocks of whole processes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FrozenClock:
    """A clock that stands still until it is told to move."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by


class TickingClock(FrozenClock):
    """Moves on by a millisecond whenever somebody looks, so that no two changes have the same instant."""

    def __call__(self) -> datetime:
        self.advance(timedelta(milliseconds=1))
        return self.now


class ClockOffsetFile:
    """The file that moves the clock of every process that knows of it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._offset = timedelta()

    def advance(self, by: timedelta) -> None:
        """Replace the file in one step, so that nobody reads half a number."""
        self._offset += by
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(str(self._offset.total_seconds()), encoding="ascii")
        unfinished.replace(self.file)
