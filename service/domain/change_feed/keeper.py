"""Number what happens in the channels that somebody follows, soon after its commit, in every worker process.

Change notifications say where to look, and a comparison of versions every second finds what they did not say. Channels
without a feed cost nothing; of several workers one at a time writes the entries of a channel.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from service.domain.change_feed.sequencing import sequence_channel
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeNotification
from service.entities.jobs import JobChangeNotification
from service.foundation.cancellation import cancel_and_wait
from service.foundation.wake_ups import WakeUps
from service.storage import change_feed
from service.valkey.connection import Valkey
from service.valkey.listener import Listener

# Seconds.
COMPARE_INTERVAL: Final = 1.0
# How often it is looked which channels have a feed; of those that are new, the comparison tells meanwhile.
LIST_INTERVAL: Final = 10.0
# Between two times that a channel is looked at: what happens meanwhile becomes one entry a block.
REST: Final = 0.1
# Each takes milliseconds and a connection, which the tasks of the worker need too.
MAX_CONCURRENT: Final = 2
MAX_BEHIND: Final = 1_000

log = logging.getLogger(__name__)


class FeedKeeper:
    """Keep the feeds of all channels; `on_appended` is called with a channel that has new entries.

    Versions are compared every `compare_interval` seconds.
    """

    def __init__(
        self,
        runtime: Runtime,
        valkey: Valkey,
        *,
        on_appended: Callable[[int], None],
        compare_interval: float = COMPARE_INTERVAL,
    ) -> None:
        self._runtime = runtime
        self._compare_interval = compare_interval
        self._on_appended = on_appended
        self._followed: set[int] = set()
        self._woken: WakeUps[int] = WakeUps()
        self._looking: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)
        self._listener = Listener(
            valkey, wanted_channels=self._wanted, on_notification=self._notice, on_subscribed=self._woken.wake
        )

    async def run(self) -> None:
        """Write entries until cancelled. Raises what the database raises; then everything may begin again."""
        listening = asyncio.create_task(self._listener.run(), name="feed notifications")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._list(), name="followed channels")
                group.create_task(self._compare(), name="feeds behind")
                group.create_task(self._look(group), name="woken feeds")
        finally:
            await cancel_and_wait(listening)

    async def _list(self) -> None:
        while True:
            async with self._runtime.pool.acquire() as conn:
                self._followed = await change_feed.followed_channels(conn)
            self._listener.update_subscriptions()
            await asyncio.sleep(LIST_INTERVAL)

    async def _compare(self) -> None:
        while True:
            async with self._runtime.pool.acquire() as conn:
                behind = await change_feed.feeds_behind(conn, MAX_BEHIND)
            for channel_id in behind:
                self._woken.wake(channel_id)
            await asyncio.sleep(self._compare_interval)

    async def _look(self, group: asyncio.TaskGroup) -> None:
        while True:
            for channel_id in await self._woken.take(COMPARE_INTERVAL):
                if channel_id in self._looking:
                    self._again.add(channel_id)
                else:
                    task = group.create_task(self._look_at(channel_id), name=f"feed of channel {channel_id}")
                    self._looking[channel_id] = task

    async def _look_at(self, channel_id: int) -> None:
        """Write the entries of a channel, again if anything asked for it while it rested."""
        try:
            while True:
                self._again.discard(channel_id)
                await self._sequence(channel_id)
                await asyncio.sleep(REST)
                if channel_id not in self._again:
                    return
        finally:
            del self._looking[channel_id]

    async def _sequence(self, channel_id: int) -> None:
        try:
            async with self._slots:
                appended = await sequence_channel(self._runtime, channel_id)
        except Exception:
            # Other channels go on, and the next comparison finds this one again.
            log.exception("the feed of channel %d was not written", channel_id)
            return
        if appended:
            self._on_appended(channel_id)

    def _wanted(self) -> set[int]:
        return self._followed

    def _notice(self, notification: ChangeNotification | JobChangeNotification) -> None:
        self._woken.wake(notification.channel_id)
