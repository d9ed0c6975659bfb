"""Wait for new entries of feeds: one statement looks for all who wait in a process, and none when nobody does."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Final

from service.foundation.cancellation import cancel_and_wait
from service.storage import change_feed
from service.storage.database.pool import DATABASE_ERRORS, Pool

# Seconds.
POLL_INTERVAL: Final = 0.25

log = logging.getLogger(__name__)


@dataclass(eq=False, slots=True)
class _Waiter:
    channel_id: int
    seq: int
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class NewEntries:
    """Look for those who wait, until `close`."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._waiters: set[_Waiter] = set()
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, channel_id: int, seq: int, within: float) -> bool:
        """Return when a feed has entries after number `seq` or that cannot be told; False after `within` seconds."""
        waiter = _Waiter(channel_id, seq)
        self._waiters.add(waiter)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll(), name="new entries of feeds")
        try:
            async with asyncio.timeout(within):
                return await waiter.woken.wait()
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)

    async def close(self) -> None:
        """Look no more."""
        if self._polling is not None:
            await cancel_and_wait(self._polling)

    async def _poll(self) -> None:
        while self._waiters:
            await asyncio.sleep(POLL_INTERVAL)
            waiters = tuple(self._waiters)
            try:
                async with self._pool.acquire() as conn:
                    newest = await change_feed.newest_entries(conn, {each.channel_id for each in waiters})
            except DATABASE_ERRORS as error:
                log.warning("new entries cannot be looked for: %s", type(error).__name__)
                newest = {}
            for each in waiters:
                if newest.get(each.channel_id, each.seq + 1) > each.seq:
                    each.woken.set()
