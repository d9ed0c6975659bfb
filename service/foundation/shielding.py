"""Let work go on to its end when whoever waits for it is cancelled, and wait for it before the process ends."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from service.foundation.cancellation import cancel_and_wait

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class ShieldedWork:
    """Keep the work of a process that cancellation does not reach."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, Result], name: str) -> Result:
        """Return the result of some work, which goes on if this call is cancelled."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise

    async def drain(self, within: float) -> None:
        """Wait so many seconds for what goes on still, and cancel what is not done by then."""
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=within)
            await cancel_and_wait(*late)


def _log_failure(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", task.get_name(), exc_info=error)
