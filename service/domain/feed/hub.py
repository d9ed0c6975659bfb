"""Read each changed block once for all subscribers of a web process, and send each its part.

Change notifications say where to look; the database says what happened. A lost notification is made up for within
seconds, when revisions are compared. Only channels and blocks with subscribers cost anything. Source:
docs/architecture/05-one-hub.md.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import TypeVar

from service.domain.feed.change_log_reader import make_change_log_reader
from service.domain.feed.channel_watch import ChannelWatch
from service.domain.feed.cursors import decode_cursor
from service.domain.feed.job_watch import JobWatch
from service.domain.feed.panel_watch import PanelWatch
from service.domain.feed.position_reader import make_position_reader
from service.domain.feed.replay import updates_since
from service.domain.feed.subscriber import Subscriber
from service.domain.feed.watch import Watch
from service.entities.blocks import ChangeNotification
from service.entities.feed import UserTagsUpdate
from service.entities.jobs import Job, JobChangeNotification
from service.foundation.cancellation import cancel_and_wait
from service.foundation.turns import TurnScheduler
from service.storage.database.pool import Pool
from service.valkey.connection import Valkey
from service.valkey.listener import Listener

W = TypeVar("W", bound=Watch)


class Hub:
    """Serve the feeds of conversation pages, tag panels and jobs of one process, from `start` to `close`."""

    def __init__(self, pool: Pool, valkey: Valkey, *, resync_interval: timedelta) -> None:
        self.turns = TurnScheduler()
        self._pool = pool
        self._resync_interval = resync_interval.total_seconds()
        self._watches: dict[int, ChannelWatch] = {}
        self._panels: dict[int, PanelWatch] = {}
        self._log = make_change_log_reader(pool)
        self._positions = make_position_reader(pool)
        self._jobs: dict[int, JobWatch] = {}
        self._listener = Listener(
            valkey, wanted_channels=self._watched, on_notification=self._dispatch, on_subscribed=self._resync_channel
        )
        self._listening: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to listen for change notifications."""
        self._listening = asyncio.create_task(self._listener.run(), name="feed listener")

    async def close(self) -> None:
        """Stop all watches and reads, and wait until they have ended."""
        tasks = [each.stop() for each in (*self._watches.values(), *self._panels.values(), *self._jobs.values())]
        if self._listening is not None:
            tasks.append(self._listening)
        await cancel_and_wait(*tasks)
        await self._log.close()
        await self._positions.close()

    @property
    def subscriber_count(self) -> int:
        """Return how many conversation pages are subscribed."""
        return sum(watch.readers for watch in self._watches.values())

    async def user_tags(self, channel_id: int, openid: str, after: str | None) -> AsyncGenerator[UserTagsUpdate]:
        """Yield the whole set, or with a valid cursor what was missed since; then each change, exactly once."""
        subscriber = await self.join(channel_id, openid, after)
        try:
            while True:
                yield await subscriber.mailbox.get()
        finally:
            self.leave(subscriber)

    async def join(self, channel_id: int, openid: str, after: str | None) -> Subscriber:
        """Return a subscriber whose mailbox receives the events of `user_tags`, until `leave`."""
        subscriber = Subscriber(channel_id, openid)
        watch = self._enter(self._watches, channel_id, self._new_watch)
        try:
            subscriber.mailbox.prepend(await self._first_events(watch, subscriber, after))
        except BaseException:
            watch.leave(subscriber)
            self._exit(self._watches, watch)
            raise
        return subscriber

    def leave(self, subscriber: Subscriber) -> None:
        """Send a subscriber nothing more."""
        watch = self._watches[subscriber.channel_id]
        watch.leave(subscriber)
        self._exit(self._watches, watch)

    @asynccontextmanager
    async def panel(self, channel_id: int) -> AsyncIterator[PanelWatch]:
        """Lend the tag panel's watch of a channel, which its readers share and which stops with the last of them."""
        with self._watching_channel(self._panels, channel_id, self._new_panel) as watch:
            yield watch

    async def job_progress(self, channel_id: int, job_id: int) -> AsyncGenerator[Job]:
        """Yield a job as it is, then each state that it reaches; end with the job, or when there is none."""
        with self._watching_channel(self._jobs, channel_id, self._new_job_watch) as watch:
            mailbox = watch.join(job_id)
            try:
                while (job := await mailbox.get()) is not None:
                    yield job
                    if job.state.finished:
                        return
            finally:
                watch.leave(job_id, mailbox)

    async def _first_events(
        self, watch: ChannelWatch, subscriber: Subscriber, after: str | None
    ) -> list[UserTagsUpdate]:
        block_position, catalogue = await watch.join(self._positions, subscriber)
        # No await between joining and this: later events in the mailbox start from the snapshot.
        snapshot = subscriber.snapshot(catalogue)
        cursor = None if after is None else decode_cursor(after)
        missed = None
        if cursor is not None:
            missed = await updates_since(self._pool, self._log, snapshot, subscriber.openid, cursor, block_position)
        return [snapshot] if missed is None else missed

    def _new_watch(self, channel_id: int) -> ChannelWatch:
        return ChannelWatch(self._pool, channel_id, resync_interval=self._resync_interval)

    def _new_panel(self, channel_id: int) -> PanelWatch:
        return PanelWatch(self._pool, channel_id, resync_interval=self._resync_interval)

    def _new_job_watch(self, channel_id: int) -> JobWatch:
        return JobWatch(self._pool, channel_id, resync_interval=self._resync_interval)

    @contextmanager
    def _watching_channel(self, watches: dict[int, W], channel_id: int, make: Callable[[int], W]) -> Iterator[W]:
        watch = self._enter(watches, channel_id, make)
        try:
            yield watch
        finally:
            self._exit(watches, watch)

    def _enter(self, watches: dict[int, W], channel_id: int, make: Callable[[int], W]) -> W:
        watch = watches.get(channel_id)
        if watch is None:
            watch = watches[channel_id] = make(channel_id)
            watch.start()
        watch.readers += 1
        self._listener.update_subscriptions()
        return watch

    def _exit(self, watches: dict[int, W], watch: W) -> None:
        watch.readers -= 1
        if watch.readers == 0 and watches.get(watch.channel_id) is watch:
            del watches[watch.channel_id]
            watch.stop()
            self._listener.update_subscriptions()

    def _watched(self) -> set[int]:
        return self._watches.keys() | self._panels.keys() | self._jobs.keys()

    def _dispatch(self, notification: ChangeNotification | JobChangeNotification) -> None:
        if isinstance(notification, JobChangeNotification):
            if (job_watch := self._jobs.get(notification.channel_id)) is not None:
                job_watch.check_everything()
            return
        for each in self._watches_of(notification.channel_id):
            each.notify(notification)

    def _resync_channel(self, channel_id: int) -> None:
        for watch in self._watches_of(channel_id):
            watch.check_everything()

    def _watches_of(self, channel_id: int) -> list[Watch]:
        found = (self._watches.get(channel_id), self._panels.get(channel_id), self._jobs.get(channel_id))
        return [watch for watch in found if watch is not None]
