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
from service.resources import Parts, open_parts
from service.valkey.connection import VALKEY_ERRORS, open_valkey
from service.worker.schedule import clock_face
from service.worker.tasks.combos import (
    activate_combo,
    clear_members,
    refresh_all_combos,
    refresh_combos,
    rescue_combos,
)
from service.worker.tasks.jobs import rescue_jobs, work_on_job
from service.worker.tasks.scheduled import ad_tags, default_tags, forget, prune, sizes, sweep_returned_data

PAUSE_WITHOUT_VALKEY: Final = 2.0
# Running jobs are given up with the connection, so more patiently than a web process.
VALKEY_ANSWERS_WITHIN: Final = 10
LONGEST_RUN: Final = 1800
POLL_EVERY: Final = 0.2
SWEEP_AT: Final = set(range(0, 60, 10))
SWEEP_JOBS_AT: Final = set(range(0, 60, 5))
SAMPLE_AT: Final = {0, 15, 30, 45}

log = logging.getLogger(__name__)


def cron_jobs(settings: Settings) -> list[CronJob]:
    """What the clock starts. A run that was missed while nobody worked is made up for at the start."""
    face = clock_face(settings.default_tags_every)
    sweeps = clock_face(settings.return_sweep_every)
    combos = clock_face(settings.combos_every)
    return [
        cron(
            default_tags,
            hour=face["hour"],
            minute=face["minute"],
            second=face["second"],
            run_at_startup=True,
            timeout=LONGEST_RUN,
            keep_result=0,
            max_tries=1,
        ),
        cron(rescue_jobs, second=SWEEP_JOBS_AT, run_at_startup=True, keep_result=0, max_tries=1),
        cron(sizes, minute=SAMPLE_AT, second=30, timeout=LONGEST_RUN, keep_result=0, max_tries=1),
        cron(
            sweep_returned_data,
            hour=sweeps["hour"],
            minute=sweeps["minute"],
            second=sweeps["second"],
            run_at_startup=True,
            timeout=LONGEST_RUN,
            keep_result=0,
            max_tries=1,
        ),
        cron(
            refresh_all_combos,
            hour=combos["hour"],
            minute=combos["minute"],
            second=combos["second"],
            run_at_startup=True,
            timeout=LONGEST_RUN,
            keep_result=0,
            max_tries=1,
        ),
        cron(ad_tags, second=10, run_at_startup=True, timeout=LONGEST_RUN, keep_result=0, max_tries=1),
        cron(forget, minute={7, 27, 47}, second=0, timeout=LONGEST_RUN, keep_result=0, max_tries=1),
        cron(rescue_combos, second=SWEEP_AT, run_at_startup=True, timeout=LONGEST_RUN, keep_result=0, max_tries=1),
        cron(prune, minute={17}, second=0, timeout=LONGEST_RUN, keep_result=0, max_tries=1),
    ]


async def work(settings: Settings) -> None:
    """Works until SIGTERM or SIGINT; raises SettingsError when the environment is incomplete."""
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with open_parts(settings) as parts:
        working = asyncio.create_task(_work_on(settings, parts), name="worker")
        stopping = asyncio.create_task(stop.wait(), name="stop request")
        await asyncio.wait({working, stopping}, return_when=asyncio.FIRST_COMPLETED)
        failed = working.done()
        await cancel_and_wait(working, stopping)
        if failed:
            working.result()


async def _work_on(settings: Settings, parts: Parts) -> None:
    while True:
        # arq's own connections would wait for ever for a Valkey that is out of reach.
        redis = open_valkey(settings.redis_url or "", answer_timeout=VALKEY_ANSWERS_WITHIN)
        worker = Worker(
            functions=[
                func(each, timeout=LONGEST_RUN, keep_result=0, max_tries=1)
                for each in (activate_combo, clear_members, refresh_combos, work_on_job)
            ],
            cron_jobs=cron_jobs(settings),
            redis_pool=ArqRedis(redis.connection_pool),
            ctx={"runtime": parts.runtime},
            handle_signals=False,
            poll_delay=POLL_EVERY,
            keep_result=0,
            timezone=UTC,
        )
        try:
            await worker.async_run()
        except VALKEY_ERRORS as error:
            log.warning("the worker waits for Valkey: %s", type(error).__name__)
        finally:
            await _close(worker)
            await redis.connection_pool.disconnect()
        await asyncio.sleep(PAUSE_WITHOUT_VALKEY)


async def _close(worker: Worker) -> None:
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
    asyncio.run(work(settings))
