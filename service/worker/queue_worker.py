"""Run arq's worker on a queue that others may have written to: what none of our processes enqueues is dropped."""

import logging
import re
from functools import partial
from inspect import signature
from typing import Any, Final

from arq.connections import ArqRedis
from arq.constants import in_progress_key_prefix, job_key_prefix, retry_key_prefix
from arq.worker import Worker

from service.valkey.connection import CommandRefusedError, Valkey
from service.valkey.task_entries import MAX_ENTRY_SIZE, decode_entry, encode_entry

# Ours are such as job:1:2:3 and cron:rescue_jobs:1767225600000.
TASK_ID: Final = re.compile(rb"[!-~]{1,200}")
# arq's scores are milliseconds since 1970. It never runs nor removes an entry at 0, and -inf ends it.
MAX_WRONG_SCORE: Final = 0

SCHEDULED_PREFIX: Final = "cron:"

log = logging.getLogger(__name__)


def silence_scheduled_runs() -> None:
    """Log no line when a scheduled task begins and ends, which some do every few seconds; failures are still logged."""
    logging.getLogger(Worker.__module__).addFilter(_tells_more_than_the_schedule)


def _tells_more_than_the_schedule(record: logging.LogRecord) -> bool:
    arguments = record.args if isinstance(record.args, tuple) else ()
    scheduled = any(isinstance(each, str) and each.startswith(SCHEDULED_PREFIX) for each in arguments)
    return record.levelno > logging.INFO or not scheduled


class QueueWorker(Worker):
    """Run the tasks of the queue, and drop its malformed entries with a line in the log.

    What is dropped of ours is made up for: each task has a sweep that finds what it should have done.
    """

    def __init__(self, valkey: Valkey, **options: Any) -> None:
        self._parameters: dict[str, int] = {}
        decode = partial(decode_entry, parameters=self._parameters)
        pool = ArqRedis(valkey.connection_pool, job_serializer=encode_entry, job_deserializer=decode)
        super().__init__(redis_pool=pool, job_serializer=encode_entry, job_deserializer=decode, **options)
        for name, each in self.functions.items():
            self._parameters[name] = len(signature(each.coroutine).parameters) - 1  # all but arq's context

    async def _poll_iteration(self) -> None:
        try:
            await super()._poll_iteration()
        except CommandRefusedError:
            if await self.pool.type(self.queue_name) in {b"zset", b"none"}:
                raise
            log.warning("the queue was dropped: its key held something else")
            await self.pool.delete(self.queue_name)

    async def start_jobs(self, job_ids: list[bytes]) -> None:
        """Start the tasks of these ids; drop those that cannot be ids of ours, or have times that cannot be."""
        good = [each for each in job_ids if TASK_ID.fullmatch(each)]
        if bad := [each for each in job_ids if not TASK_ID.fullmatch(each)]:
            await self.pool.zrem(self.queue_name, *bad)
            log.warning("%d entries of the queue were dropped: their ids are none of ours", len(bad))
        if job_ids and (dropped := await self.pool.zremrangebyscore(self.queue_name, "-inf", MAX_WRONG_SCORE)):
            log.warning("%d entries of the queue were dropped: they have no time", dropped)
        await super().start_jobs(good)

    async def run_job(self, job_id: str, score: int) -> None:
        """Run a task to its end, or drop its entry where that describes no task."""
        try:
            data = await self.pool.getrange(f"{job_key_prefix}{job_id}", 0, MAX_ENTRY_SIZE)
            if data:
                decode_entry(data, self._parameters)
            await super().run_job(job_id, score)
        except ValueError as error:
            await self._drop(job_id, str(error))
        except CommandRefusedError:
            await self._drop(job_id, "its keys hold something else")

    async def _drop(self, job_id: str, reason: str) -> None:
        log.warning("task %s was dropped: %s", job_id, reason)
        prefixes = (job_key_prefix, retry_key_prefix, in_progress_key_prefix)
        await self.pool.delete(*(f"{prefix}{job_id}" for prefix in prefixes))
        await self.pool.zrem(self.queue_name, job_id)
