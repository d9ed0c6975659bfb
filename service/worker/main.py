"""The worker process: arq with its jobs and its clock, started again whenever Valkey comes back."""

import asyncio
import logging
import signal
from contextlib import suppress
from datetime import UTC
from typing import Final

from arq.connections import ArqRedis
from arq.cron import CronJob, cron
from arq.worker import Worker, func

from service.foundation.cancellation import cancel_and_wait
from service.foundation.logging import configure_logging
from service.foundation.settings import Settings
from service.resources import Resources, open_resources
from service.valkey.connection import VALKEY_ERRORS, open_valkey
from service.worker.schedule import cron_fields
from service.worker.tasks.combos import (
    activate_combo,
    clear_members,
    refresh_all_combos,
    refresh_combos,
    rescue_combos,
)
from service.worker.tasks.jobs import process_job, rescue_jobs
from service.worker.tasks.scheduled import (
    complete_ad_tags,
    end_expired_batches,
    forget_unfollowed_users,
    prune_channels,
    run_default_tags_for_all,
    sample_tag_sizes,
)

RECONNECT_DELAY: Final = 2.0
# Running jobs are given up with the connection, so more patiently than a web process.
VALKEY_TIMEOUT: Final = 10
TASK_TIMEOUT: Final = 1800
POLL_INTERVAL: Final = 0.2
COMBO_SWEEP_SECONDS: Final = set(range(0, 60, 10))
JOB_RESCUE_SECONDS: Final = set(range(0, 60, 5))
SIZE_SAMPLE_MINUTES: Final = {0, 15, 30, 45}

log = logging.getLogger(__name__)


def cron_jobs(settings: Settings) -> list[CronJob]:
    """What the clock starts. A run that was missed while nobody worked is made up for at the start."""
    default_tags_times = cron_fields(settings.default_tags_every)
    return_sweep_times = cron_fields(settings.return_sweep_every)
    combo_times = cron_fields(settings.combos_every)
    return [
        cron(
            run_default_tags_for_all,
            hour=default_tags_times["hour"],
            minute=default_tags_times["minute"],
            second=default_tags_times["second"],
            run_at_startup=True,
            timeout=TASK_TIMEOUT,
            keep_result=0,
            max_tries=1,
        ),
        cron(rescue_jobs, second=JOB_RESCUE_SECONDS, run_at_startup=True, keep_result=0, max_tries=1),
        cron(sample_tag_sizes, minute=SIZE_SAMPLE_MINUTES, second=30, timeout=TASK_TIMEOUT, keep_result=0, max_tries=1),
        cron(
            end_expired_batches,
            hour=return_sweep_times["hour"],
            minute=return_sweep_times["minute"],
            second=return_sweep_times["second"],
            run_at_startup=True,
            timeout=TASK_TIMEOUT,
            keep_result=0,
            max_tries=1,
        ),
        cron(
            refresh_all_combos,
            hour=combo_times["hour"],
            minute=combo_times["minute"],
            second=combo_times["second"],
            run_at_startup=True,
            timeout=TASK_TIMEOUT,
            keep_result=0,
            max_tries=1,
        ),
        cron(complete_ad_tags, second=10, run_at_startup=True, timeout=TASK_TIMEOUT, keep_result=0, max_tries=1),
        cron(forget_unfollowed_users, minute={7, 27, 47}, second=0, timeout=TASK_TIMEOUT, keep_result=0, max_tries=1),
        cron(
            rescue_combos,
            second=COMBO_SWEEP_SECONDS,
            run_at_startup=True,
            timeout=TASK_TIMEOUT,
            keep_result=0,
            max_tries=1,
        ),
        cron(prune_channels, minute={17}, second=0, timeout=TASK_TIMEOUT, keep_result=0, max_tries=1),
    ]


async def run_until_stopped(settings: Settings) -> None:
    """Works until SIGTERM or SIGINT; raises SettingsError when the environment is incomplete."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with open_resources(settings) as resources:
        worker_task = asyncio.create_task(_run_arq_worker(settings, resources), name="worker")
        stop_task = asyncio.create_task(stop.wait(), name="stop request")
        await asyncio.wait({worker_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
        failed = worker_task.done()
        await cancel_and_wait(worker_task, stop_task)
        if failed:
            worker_task.result()


async def _run_arq_worker(settings: Settings, resources: Resources) -> None:
    while True:
        # arq's own connections would wait for ever for a Valkey that is out of reach.
        redis = open_valkey(settings.redis_url or "", answer_timeout=VALKEY_TIMEOUT)
        worker = Worker(
            functions=[
                func(each, timeout=TASK_TIMEOUT, keep_result=0, max_tries=1)
                for each in (activate_combo, clear_members, refresh_combos, process_job)
            ],
            cron_jobs=cron_jobs(settings),
            redis_pool=ArqRedis(redis.connection_pool),
            ctx={"runtime": resources.runtime},
            handle_signals=False,
            poll_delay=POLL_INTERVAL,
            keep_result=0,
            timezone=UTC,
        )
        try:
            await worker.async_run()
        except VALKEY_ERRORS as error:
            log.warning("the worker waits for Valkey: %s", type(error).__name__)
        finally:
            await _close_worker(worker)
            await redis.connection_pool.disconnect()
        await asyncio.sleep(RECONNECT_DELAY)


async def _close_worker(worker: Worker) -> None:
    """Cancels the jobs that are running, which must not look as if we were told to stop ourselves."""
    task = asyncio.current_task()
    try:
        with suppress(*VALKEY_ERRORS):
            await worker.close()
    except asyncio.CancelledError:
        if task is None or task.cancelling():
            raise


def run_worker(settings: Settings) -> None:
    configure_logging(settings.production)
    asyncio.run(run_until_stopped(settings))
