"""Give tests a clock that stands still, one that ticks, and one file that moves the clocks of whole processes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class FrozenClock:
    """Stand still until moved by a test."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        """Return the time."""
        return self.now

    def advance(self, by: timedelta) -> None:
        """Move forward."""
        self.now += by


class TickingClock(FrozenClock):
    """Move on by a millisecond at each look, so that no two changes have the same instant."""

    def __call__(self) -> datetime:
        """Return the time, a millisecond after the last."""
        self.advance(timedelta(milliseconds=1))
        return self.now


class ClockOffsetFile:
    """Move the clock of every process that has this file as USER_TAGS_CLOCK_OFFSET_FILE."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._offset = timedelta()

    def now(self) -> datetime:
        """Return the time by the clocks that were moved."""
        return datetime.now(UTC) + self._offset

    def advance(self, by: timedelta) -> None:
        """Move all clocks forward at once; the file is replaced in one step, so that nobody reads half a number."""
        self._offset += by
        unfinished = self.file.with_suffix(".new")
        unfinished.write_text(str(self._offset.total_seconds()), encoding="ascii")
        unfinished.replace(self.file)
