"""Fit a cadence to the face of the clock."""

from datetime import UTC, datetime, timedelta

import pytest
from arq.cron import CronJob

from service.foundation.settings import Settings, read_settings
from service.worker.main import cron_jobs
from service.worker.schedule import cron_fields

NIGHT = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)


def _runs(every: str, count: int) -> list[str]:
    """When the refresh of the default tags runs after half a minute past midnight."""
    settings = read_settings({"USER_TAGS_DEFAULT_TAGS_EVERY": every})
    job = _job(cron_jobs(settings), "cron:run_default_tags_for_all")
    found = []
    at = NIGHT
    for _ in range(count):
        job.calculate_next(at)
        assert job.next_run is not None
        at = job.next_run
        found.append(f"{at:%H:%M:%S}")
    return found


def _job(jobs: list[CronJob], name: str) -> CronJob:
    (found,) = [job for job in jobs if job.name == name]
    return found


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("1s", ["00:00:31", "00:00:32", "00:00:33"]),
        ("5s", ["00:00:35", "00:00:40", "00:00:45"]),
        ("30s", ["00:01:00", "00:01:30", "00:02:00"]),
        ("1m", ["00:01:00", "00:02:00", "00:03:00"]),
        ("60s", ["00:01:00", "00:02:00", "00:03:00"]),
        ("15m", ["00:15:00", "00:30:00", "00:45:00"]),
        ("30m", ["00:30:00", "01:00:00", "01:30:00"]),
        ("1h", ["01:00:00", "02:00:00", "03:00:00"]),
        ("6h", ["06:00:00", "12:00:00", "18:00:00"]),
        ("1d", ["00:00:00", "00:00:00"]),
    ],
)
def test_a_cadence_becomes_times_of_the_day(every: str, expected: list[str]) -> None:
    assert _runs(every, len(expected)) == expected


def test_the_default_is_every_half_hour_and_made_up_for_at_the_start() -> None:
    job = _job(cron_jobs(Settings()), "cron:run_default_tags_for_all")
    assert (job.minute, job.second, job.hour) == ({0, 30}, 0, None)
    assert job.run_at_startup


def test_pruning_runs_once_an_hour() -> None:
    job = _job(cron_jobs(Settings()), "cron:prune_channels")
    job.calculate_next(NIGHT)
    first = job.next_run
    assert first is not None
    job.calculate_next(first)
    assert job.next_run is not None
    assert job.next_run - first == timedelta(hours=1)


def test_every_cadence_the_settings_allow_fits() -> None:
    allowed = 0
    for seconds in range(1, 86_401):
        every = timedelta(seconds=seconds)
        if not (
            60 % seconds == 0
            or (seconds % 60 == 0 and 3600 % seconds == 0)
            or (seconds % 3600 == 0 and 86_400 % seconds == 0)
        ):
            continue
        allowed += 1
        face = cron_fields(every)
        slots = [
            len(each) if isinstance(each, set) else whole
            for each, whole in zip((face["hour"], face["minute"]), (24, 60), strict=True)
        ]
        slots.append(len(face["second"]) if isinstance(face["second"], set) else 1)
        assert slots[0] * slots[1] * slots[2] == 86_400 // seconds
    assert allowed == 12 + 12 + 8 - 2
