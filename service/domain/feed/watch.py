"""Catch up with one channel whenever something changes in it, and every few seconds anyway."""

import asyncio
import logging
from abc import ABC, abstractmethod
from typing import Final

from service.entities.blocks import ChangeNotification
from service.storage.database.pool import DATABASE_ERRORS, Connection, Pool

RETRY_DELAY: Final = 0.5

log = logging.getLogger(__name__)


class Watch(ABC):
    """Run a task that catches up once for all notifications that arrived meanwhile."""

    def __init__(self, pool: Pool, channel_id: int, *, resync_interval: float) -> None:
        self.channel_id = channel_id
        self.readers = 0
        self._pool = pool
        self._resync_interval = resync_interval
        self._signal = asyncio.Event()
        self._dirty: set[int | None] = set()
        self._everything = False
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to catch up; `stop` ends it."""
        self._task = asyncio.create_task(self._run(), name=f"{type(self).__name__} of {self.channel_id}")

    def stop(self) -> "asyncio.Future[None]":
        """Cancel the task and return it, to be awaited."""
        if self._task is None:
            raise RuntimeError("stopped before it was started")
        self._task.cancel()
        return self._task

    def notify(self, notification: ChangeNotification) -> None:
        """Catch up with the block, or the tag states, that a notification names."""
        self._dirty.add(notification.block)
        self._signal.set()

    def check_everything(self) -> None:
        """Compare everything with the database, as soon as possible."""
        self._everything = True
        self._signal.set()

    @abstractmethod
    async def catch_up(self, conn: Connection, dirty: set[int | None], *, everything: bool) -> None:
        """Read what `dirty` blocks (None: tag states) have become, or compare everything, and tell the readers."""

    async def _run(self) -> None:
        while True:
            everything = not await self._wait_for_signal()
            dirty, self._dirty = self._dirty, set()
            everything, self._everything = everything or self._everything, False
            try:
                async with self._pool.acquire() as conn:
                    await self.catch_up(conn, dirty, everything=everything)
            except DATABASE_ERRORS as error:
                log.warning(
                    "the feed of channel %d cannot read the database and tries again: %s",
                    self.channel_id,
                    type(error).__name__,
                )
                await self._retry_later()
            except Exception:
                log.exception("the feed of channel %d failed", self.channel_id)
                await self._retry_later()

    async def _retry_later(self) -> None:
        self._everything = True
        await asyncio.sleep(RETRY_DELAY)
        self._signal.set()

    async def _wait_for_signal(self) -> bool:
        """Return False when nothing was notified and it is time to compare."""
        try:
            async with asyncio.timeout(self._resync_interval):
                await self._signal.wait()
        except TimeoutError:
            return False
        self._signal.clear()
        return True
