"""List the tasks that the clock starts, and turn how often each runs into the times at which arq starts it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple

from arq.cron import CronJob, cron
from arq.typing import WorkerCoroutine

from service.foundation.settings import Settings
from service.worker.tasks.ad_tags import complete_ad_tags
from service.worker.tasks.audit_log import seal_audit_logs
from service.worker.tasks.broadcast_approvals import cancel_unapproved_broadcasts
from service.worker.tasks.broadcast_leftovers import clear_broadcast_leftovers
from service.worker.tasks.broadcast_series import run_series
from service.worker.tasks.combos import refresh_all_combos, rescue_combos
from service.worker.tasks.default_tags import run_default_tags_for_all
from service.worker.tasks.jobs import rescue_jobs
from service.worker.tasks.message_results import ask_for_message_results, match_message_results
from service.worker.tasks.official_account import keep_tags_in_sync
from service.worker.tasks.retention import forget_unfollowed_users, prune_channels
from service.worker.tasks.return_data import end_expired_batches
from service.worker.tasks.tag_merges import take_back_ended_merges
from service.worker.tasks.tag_sizes import sample_tag_sizes

# Seconds.
TASK_TIMEOUT: Final = 1800
MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 86_400


@dataclass(frozen=True, slots=True)
class ScheduledTask:
    """Say how often a task runs, counted from midnight UTC and moved by `offset`, which is shorter than `every`.

    With `run_at_startup` it runs as soon as a worker starts, too: what was missed while none ran is made up for.
    `timeout` is in seconds; None is arq's, 5 minutes.
    """

    task: WorkerCoroutine
    every: timedelta
    offset: timedelta = timedelta(0)
    run_at_startup: bool = True
    timeout: int | None = TASK_TIMEOUT


def scheduled_tasks(settings: Settings) -> tuple[ScheduledTask, ...]:
    """Return the table of the scheduled tasks."""
    return (
        ScheduledTask(run_default_tags_for_all, every=settings.default_tags_every),
        ScheduledTask(rescue_jobs, every=timedelta(seconds=5), timeout=None),
        ScheduledTask(cancel_unapproved_broadcasts, every=timedelta(minutes=10), offset=timedelta(minutes=3)),
        ScheduledTask(seal_audit_logs, every=timedelta(seconds=5), offset=timedelta(seconds=2)),
        ScheduledTask(run_series, every=timedelta(seconds=10)),
        ScheduledTask(end_expired_batches, every=settings.return_sweep_every),
        ScheduledTask(refresh_all_combos, every=settings.combos_every),
        ScheduledTask(rescue_combos, every=timedelta(seconds=10)),
        ScheduledTask(keep_tags_in_sync, every=settings.keep_in_sync_every),
        ScheduledTask(match_message_results, every=timedelta(minutes=1), offset=timedelta(seconds=20)),
        ScheduledTask(ask_for_message_results, every=timedelta(minutes=5), offset=timedelta(seconds=40)),
        ScheduledTask(take_back_ended_merges, every=timedelta(seconds=10)),
        ScheduledTask(complete_ad_tags, every=timedelta(minutes=1), offset=timedelta(seconds=10)),
        ScheduledTask(clear_broadcast_leftovers, every=timedelta(minutes=1), offset=timedelta(seconds=20)),
        ScheduledTask(
            sample_tag_sizes, every=timedelta(minutes=15), offset=timedelta(seconds=30), run_at_startup=False
        ),
        ScheduledTask(
            forget_unfollowed_users, every=timedelta(minutes=20), offset=timedelta(minutes=7), run_at_startup=False
        ),
        ScheduledTask(prune_channels, every=timedelta(hours=1), offset=timedelta(minutes=17), run_at_startup=False),
    )


def cron_jobs(settings: Settings) -> list[CronJob]:
    """Return the table as arq's cron jobs."""
    return [_cron_job(each) for each in scheduled_tasks(settings)]


def _cron_job(row: ScheduledTask) -> CronJob:
    times = clock_times(row.every, row.offset)
    return cron(
        row.task,
        hour=times.hours,
        minute=times.minutes,
        second=times.seconds,
        run_at_startup=row.run_at_startup,
        timeout=row.timeout,
        keep_result=0,
        max_tries=1,
    )


class ClockTimes(NamedTuple):
    """Say at which hours, minutes and seconds a task starts: whenever all three match."""

    hours: set[int]
    minutes: set[int]
    seconds: set[int]


def clock_times(every: timedelta, offset: timedelta = timedelta(0)) -> ClockTimes:
    """Return the times of the day that are `offset` past a multiple of `every`: 30 minutes mean :00 and :30.

    `every` divides a minute, an hour or a day, which the settings make sure of; `offset` is shorter and, like
    `every`, in whole seconds.
    """
    starts = [divmod(at, HOUR) for at in range(round(offset.total_seconds()), DAY, round(every.total_seconds()))]
    return ClockTimes(
        hours={hour for hour, _ in starts},
        minutes={rest // MINUTE for _, rest in starts},
        seconds={rest % MINUTE for _, rest in starts},
    )
