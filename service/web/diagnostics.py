"""What a web process holds at this moment, for operators: `kill -USR1` writes it into the log as one line of JSON."""

import asyncio
import gc
import logging
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import orjson

from service.auth.quotas import OpenSubscriptions
from service.domain.feed.hub import Hub
from service.storage.database.pool import Pool

UNNAMED_TASK = re.compile(r"Task-\d+")
NUMBER = re.compile(r"\d+")

log = logging.getLogger(__name__)


def process_stats(subscriptions: OpenSubscriptions, hub: Hub, pool: Pool) -> dict[str, object]:
    """Subscriptions and pages that are open, connections to the database, blocks of memory in use, and how many tasks
    there are of each kind. What only waits to be collected is collected before: that takes a moment.
    """
    gc.collect()
    return {
        "subscriptions": subscriptions.total,
        "pages": hub.open_pages,
        "connections": pool.get_size(),
        "idle": pool.get_idle_size(),
        "blocks": sys.getallocatedblocks(),
        "tasks": dict(sorted(Counter(map(_task_kind, asyncio.all_tasks())).items())),
    }


@contextmanager
def log_stats_on_signal(read_stats: Callable[[], dict[str, object]]) -> Iterator[None]:
    """While this is open, SIGUSR1 writes into the log what `read_stats` answers."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(
            signal.SIGUSR1, lambda: log.info("process stats %s", orjson.dumps(read_stats()).decode())
        )
    except (NotImplementedError, RuntimeError, ValueError):
        # Only the main thread of a process gets signals, and not everywhere.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)


def _task_kind(task: "asyncio.Task[object]") -> str:
    """Its name without numbers; what nobody named goes by its coroutine."""
    name = task.get_name()
    if UNNAMED_TASK.fullmatch(name):
        return getattr(task.get_coro(), "__qualname__", name)
    return NUMBER.sub("…", name)
