"""Turn the cadences of the schedule into times of the day."""

from datetime import UTC, datetime, timedelta

import pytest
from arq.cron import CronJob

from service.foundation.settings import Settings, read_settings
from service.worker.schedule import ScheduledTask, clock_times, cron_jobs, scheduled_tasks
from service.worker.tasks.default_tags import run_default_tags_for_all
from service.worker.tasks.retention import prune_channels

NIGHT = datetime(2026, 3, 1, 0, 0, 30, tzinfo=UTC)
DAY_SECONDS = 86_400


def _default_tags_runs(every: str, count: int) -> list[str]:
    """Return when the default tags are evaluated after half a minute past midnight."""
    settings = read_settings({"USER_TAGS_DEFAULT_TAGS_EVERY": every})
    return _runs(_cron_job(settings, run_default_tags_for_all), count)


def _runs(job: CronJob, count: int) -> list[str]:
    found = []
    at = NIGHT
    for _ in range(count):
        job.calculate_next(at)
        assert job.next_run is not None
        at = job.next_run
        found.append(f"{at:%H:%M:%S}")
    return found


def _cron_job(settings: Settings, task: object) -> CronJob:
    (found,) = [job for job in cron_jobs(settings) if job.coroutine is task]
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
    assert _default_tags_runs(every, len(expected)) == expected


def test_default_tags_are_evaluated_every_half_hour_and_at_the_start() -> None:
    job = _cron_job(Settings(), run_default_tags_for_all)
    assert _runs(job, 3) == ["00:30:00", "01:00:00", "01:30:00"]
    assert job.run_at_startup


def test_pruning_runs_at_seventeen_minutes_past_the_hour_and_not_at_the_start() -> None:
    job = _cron_job(Settings(), prune_channels)
    assert _runs(job, 2) == ["00:17:00", "01:17:00"]
    assert not job.run_at_startup


@pytest.mark.parametrize("row", scheduled_tasks(Settings()), ids=lambda row: row.task.__qualname__)
def test_each_row_of_the_table_runs_as_often_as_it_says(row: ScheduledTask) -> None:
    job = _cron_job(Settings(), row.task)
    starts = [datetime.strptime(at, "%H:%M:%S").replace(tzinfo=UTC) for at in _runs(job, 2)]
    assert starts[1] - starts[0] == row.every
    midnight = starts[0].replace(hour=0, minute=0, second=0)
    assert (starts[0] - midnight) % row.every == row.offset


def test_every_cadence_the_settings_allow_fits_the_clock() -> None:
    allowed = 0
    for seconds in range(1, DAY_SECONDS + 1):
        if not (
            60 % seconds == 0
            or (seconds % 60 == 0 and 3600 % seconds == 0)
            or (seconds % 3600 == 0 and DAY_SECONDS % seconds == 0)
        ):
            continue
        allowed += 1
        times = clock_times(timedelta(seconds=seconds))
        starts = {
            hour * 3600 + minute * 60 + second
            for hour in times.hours
            for minute in times.minutes
            for second in times.seconds
        }
        assert starts == set(range(0, DAY_SECONDS, seconds))
    assert allowed == 12 + 12 + 8 - 2
