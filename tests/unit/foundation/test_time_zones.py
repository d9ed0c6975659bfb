"""Know the zones of the locked database, whatever the machine has, and find when their clocks change."""

import zoneinfo
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.foundation.time_zones import load_zone, next_clock_change, zone_names


@pytest.mark.parametrize(
    "name", ["Asia/Peking", "asia/shanghai", "", "/etc/passwd", "../zones", "Asia", "UTC+8", "Asia/Shanghai\n"]
)
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no such time zone"):
        load_zone(name)


def test_every_zone_is_read() -> None:
    at = datetime(2026, 7, 1, tzinfo=UTC)
    for name in zone_names():
        assert at.astimezone(load_zone(name)).utcoffset() is not None


def test_what_the_machine_thinks_of_a_zone_does_not_count(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "Asia").mkdir()
    (tmp_path / "Asia" / "Tokyo").write_bytes((files("tzdata") / "zoneinfo" / "Etc" / "UTC").read_bytes())
    request.addfinalizer(zoneinfo.reset_tzpath)
    zoneinfo.reset_tzpath([tmp_path])
    load_zone.cache_clear()
    at = datetime(2026, 7, 1, tzinfo=UTC)

    assert at.astimezone(zoneinfo.ZoneInfo.no_cache("Asia/Tokyo")).utcoffset() == timedelta()
    assert at.astimezone(load_zone("Asia/Tokyo")).utcoffset() == timedelta(hours=9)


@settings(max_examples=100)
@given(start=st.integers(0, 20 * 365 * 86_400), hours=st.integers(0, 24 * 40))
def test_a_change_is_found_to_the_second(start: int, hours: int) -> None:
    dublin = load_zone("Europe/Dublin")
    after = datetime(2010, 1, 1, tzinfo=UTC) + timedelta(seconds=start)
    until = after + timedelta(hours=hours)
    found = next_clock_change(dublin, after, until)

    if found is None:
        assert after.astimezone(dublin).utcoffset() == until.astimezone(dublin).utcoffset()
    else:
        second = timedelta(seconds=1)
        assert after < found <= until
        assert after.astimezone(dublin).utcoffset() == (found - second).astimezone(dublin).utcoffset()
        assert found.astimezone(dublin).utcoffset() != (found - second).astimezone(dublin).utcoffset()
