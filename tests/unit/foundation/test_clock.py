"""Read the time, and move the clock of several processes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from service.foundation.clock import make_clock
from tests.support.clock import FrozenClock


def test_without_a_file_the_clock_is_that_of_the_system() -> None:
    assert make_clock(None)().tzinfo is UTC


def test_a_file_moves_the_clock_and_can_be_changed_and_removed(tmp_path: Path) -> None:
    file = tmp_path / "offset"
    moved = make_clock(str(file))
    for text, seconds in (("3600", 3600), ("-90.5\n", -90.5), ("", 0), ("7200", 7200)):
        file.write_text(text)
        assert moved() - datetime.now(UTC) == pytest.approx(timedelta(seconds=seconds), abs=timedelta(seconds=5))
    file.unlink()
    assert moved() - datetime.now(UTC) == pytest.approx(timedelta(), abs=timedelta(seconds=5))


def test_a_word_in_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "offset").write_text("tomorrow")
    with pytest.raises(ValueError, match="tomorrow"):
        make_clock(str(tmp_path / "offset"))()


def test_the_tests_clock_stands_still_until_told(clock: FrozenClock) -> None:
    assert clock() == clock() == datetime(2026, 3, 1, 12, tzinfo=UTC)
    clock.advance(timedelta(hours=48))
    assert clock.now == datetime(2026, 3, 3, 12, tzinfo=UTC)
