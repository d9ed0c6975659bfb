"""Tell operators what a web process holds: `kill -USR1` writes it into the log as one line of JSON."""

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

from service.resources import Resources

UNNAMED_TASK = re.compile(r"Task-\d+")
NUMBER = re.compile(r"\d+")

log = logging.getLogger(__name__)


def process_stats(resources: Resources) -> dict[str, object]:
    """Return the counts of open subscriptions and pages, connections, blocks of memory, and asyncio tasks by kind.

    Garbage is collected first, so that it is not counted; that takes a moment.
    """
    pool = resources.runtime.pool
    gc.collect()
    return {
        "subscriptions": resources.subscriptions.total,
        "pages": resources.hub.subscriber_count,
        "connections": pool.get_size(),
        "idle": pool.get_idle_size(),
        "blocks": sys.getallocatedblocks(),
        "tasks": dict(sorted(Counter(map(_task_kind, asyncio.all_tasks())).items())),
    }


@contextmanager
def log_stats_on_signal(read_stats: Callable[[], dict[str, object]]) -> Iterator[None]:
    """Log what `read_stats` returns whenever SIGUSR1 arrives, as long as this is open."""
    loop = asyncio.get_running_loop()
    try:
        loop.add_signal_handler(
            signal.SIGUSR1, lambda: log.info("process stats %s", orjson.dumps(read_stats()).decode())
        )
    except (NotImplementedError, RuntimeError, ValueError):
        # Only the main thread of a process gets signals, and not on every system.
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGUSR1)


def _task_kind(task: "asyncio.Task[object]") -> str:
    """Return the name without its numbers; of a task without a given name, its coroutine's."""
    name = task.get_name()
    if UNNAMED_TASK.fullmatch(name):
        return getattr(task.get_coro(), "__qualname__", name)
    return NUMBER.sub("…", name)
