"""What serves many tests, so that none of them has left it running."""

import asyncio
from collections import Counter
from typing import Any, Final

processes: Final[set[int]] = set()
# How many tasks of a name there may be: on a busy machine a shared web process loses its connection to Valkey now and
# then, and begins to listen anew in the middle of a test.
tasks: Final[Counter[str]] = Counter()


def is_shared(task: asyncio.Task[Any]) -> bool:
    """Whether a task belongs to what serves many tests, and not to one more of the kind."""
    name = task.get_name()
    return sum(each.get_name() == name for each in asyncio.all_tasks()) <= tasks[name]
