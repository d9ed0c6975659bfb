"""Run the worker process: arq with its tasks and its schedule, started again whenever Valkey comes back."""

import asyncio
import logging
import signal
from collections.abc import Mapping
from contextlib import aclosing, suppress
from datetime import UTC
from typing import Final

import uvloop
from arq.typing import WorkerCoroutine
from arq.worker import Function, func

from service.domain.official_account.acting import acting_watched
from service.entities.tasks import TaskName
from service.foundation.cancellation import cancel_and_wait
from service.foundation.logging import configure_logging
from service.foundation.settings import Settings
from service.resources import Resources, open_resources
from service.valkey.connection import VALKEY_ERRORS, Valkey, open_valkey
from service.webhooks.client import WebhookClient
from service.worker.queue_worker import QueueWorker, silence_scheduled_runs
from service.worker.resident_loops import loops_running, resident_loops
from service.worker.schedule import TASK_TIMEOUT, cron_jobs
from service.worker.tasks.combos import activate_combo, clear_members, refresh_combos
from service.worker.tasks.jobs import process_job

# Seconds.
RECONNECT_DELAY: Final = 2.0
POLL_INTERVAL: Final = 0.2
# After the calls that were under way when the worker was told to stop, for their outcomes to be written.
RECORDING_TIMEOUT: Final = 10.0
# A lost connection cancels the tasks that run, so a worker waits longer for Valkey than a web process does.
VALKEY_TIMEOUT: Final = 10

TASKS: Final[Mapping[TaskName, WorkerCoroutine]] = {
    TaskName.ACTIVATE_COMBO: activate_combo,
    TaskName.CLEAR_MEMBERS: clear_members,
    TaskName.REFRESH_COMBOS: refresh_combos,
    TaskName.PROCESS_JOB: process_job,
}

log = logging.getLogger(__name__)


def run_worker(settings: Settings) -> None:
    """Work until SIGTERM or SIGINT. Raises SettingsError where the environment is incomplete."""
    configure_logging(settings.production)
    silence_scheduled_runs()
    uvloop.run(_run_until_stopped(settings))


def task_functions() -> list[Function]:
    """Return what arq can be handed by name: each of TASKS under its TaskName, tried once."""
    return [
        func(task, name=name.value, timeout=TASK_TIMEOUT, keep_result=0, max_tries=1) for name, task in TASKS.items()
    ]


async def _run_until_stopped(settings: Settings) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with (
        open_resources(settings) as resources,
        acting_watched(resources.runtime),
        aclosing(WebhookClient(settings.webhooks, resources.runtime.clock)) as webhooks,
    ):
        async with loops_running(resident_loops(resources, webhooks)):
            worker_task = asyncio.create_task(_keep_working(settings, resources), name="worker")
            stop_task = asyncio.create_task(stop.wait(), name="stop request")
            await asyncio.wait({worker_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
            failed = worker_task.done()
            await cancel_and_wait(worker_task, stop_task)
        longest_call = max(settings.wechat.call_within, settings.webhooks.call_within)
        await resources.runtime.shielded.drain(longest_call.total_seconds() + RECORDING_TIMEOUT)
        if failed:
            worker_task.result()


async def _keep_working(settings: Settings, resources: Resources) -> None:
    while True:
        # arq's own connections would wait for ever for a Valkey that is out of reach.
        redis = open_valkey(settings.redis_url or "", answer_timeout=VALKEY_TIMEOUT)
        worker = _make_arq_worker(settings, resources, redis)
        try:
            await worker.async_run()
        except VALKEY_ERRORS as error:
            log.warning("the worker waits for Valkey: %s", type(error).__name__)
        finally:
            await _close_worker(worker)
            await redis.connection_pool.disconnect()
        await asyncio.sleep(RECONNECT_DELAY)


def _make_arq_worker(settings: Settings, resources: Resources, redis: Valkey) -> QueueWorker:
    return QueueWorker(
        redis,
        functions=task_functions(),
        cron_jobs=cron_jobs(settings),
        ctx={"runtime": resources.runtime},
        handle_signals=False,
        poll_delay=POLL_INTERVAL,
        keep_result=0,
        timezone=UTC,
    )


async def _close_worker(worker: QueueWorker) -> None:
    """Cancel the tasks that run, without passing their cancellation on as if this process were told to stop."""
    task = asyncio.current_task()
    try:
        with suppress(*VALKEY_ERRORS):
            await worker.close()
    except asyncio.CancelledError:
        if task is None or task.cancelling():
            raise
