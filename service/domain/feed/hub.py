"""One hub a web process: reads each changed block once for all its open pages and gives everyone their part.

Wake-ups say where to look; the database says what happened. Lost wake-ups are healed by comparing versions every few
seconds. Only channels and blocks with open pages cost anything.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final, TypeVar

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.domain.feed.channel_watch import ChannelWatch
from service.domain.feed.cursors import read_cursor
from service.domain.feed.panel import PanelWatch
from service.domain.feed.replay import missed_since
from service.domain.feed.subscriber import Subscriber
from service.domain.feed.watch import Watch
from service.domain.wake_ups import decode, topic_of
from service.entities.feed import UserTagsUpdate
from service.storage.database import Pool

ALIVE_TOPIC: Final = "user-tags:alive"
RECONNECT_AFTER: Final = 0.5

log = logging.getLogger(__name__)

W = TypeVar("W", bound=Watch)


class Hub:
    """Start it once a process and close it; `user_tags` is an endless stream of one person's events."""

    def __init__(self, pool: Pool, redis: Redis, *, heal_every: timedelta) -> None:
        self._pool = pool
        self._redis = redis
        self._heal_every = heal_every.total_seconds()
        self._watches: dict[int, ChannelWatch] = {}
        self._panels: dict[int, PanelWatch] = {}
        self._pubsub = redis.pubsub(ignore_subscribe_messages=True)
        self._listener: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._listener = asyncio.create_task(self._listen(), name="feed listener")

    async def close(self) -> None:
        tasks = [each.stop() for each in (*self._watches.values(), *self._panels.values())]
        if self._listener is not None:
            self._listener.cancel()
            tasks.append(self._listener)
        await asyncio.gather(*tasks, return_exceptions=True)
        with contextlib.suppress(RedisError, OSError):
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    @property
    def open_pages(self) -> int:
        return sum(watch.readers for watch in self._watches.values())

    async def user_tags(self, channel_id: int, openid: str, after: str | None) -> AsyncIterator[UserTagsUpdate]:
        """First the whole set, or with a good cursor what was missed since; then each change, exactly once."""
        subscriber = Subscriber(channel_id, openid)
        async with self._watching(self._watches, channel_id, self._new_watch) as watch:
            try:
                first = await self._join(watch, subscriber, after)
                for event in first:
                    yield event
                while True:
                    yield await subscriber.mailbox.get()
            finally:
                watch.leave(subscriber)

    @asynccontextmanager
    async def panel(self, channel_id: int) -> AsyncIterator[PanelWatch]:
        """The tag panel's watch of one channel, shared by its readers and gone with the last."""
        async with self._watching(self._panels, channel_id, self._new_panel) as watch:
            yield watch

    async def _join(self, watch: ChannelWatch, subscriber: Subscriber, after: str | None) -> list[UserTagsUpdate]:
        async with self._pool.acquire() as conn:
            place, catalogue = await watch.join(conn, subscriber)
            whole = subscriber.whole(catalogue)
            cursor = None if after is None else read_cursor(after)
            missed = None
            if cursor is not None:
                missed = await missed_since(conn, whole, subscriber.openid, cursor, place)
        return [whole] if missed is None else missed

    def _new_watch(self, channel_id: int) -> ChannelWatch:
        return ChannelWatch(self._pool, channel_id, heal_every=self._heal_every)

    def _new_panel(self, channel_id: int) -> PanelWatch:
        return PanelWatch(self._pool, channel_id, heal_every=self._heal_every)

    @asynccontextmanager
    async def _watching(self, watches: dict[int, W], channel_id: int, make: Callable[[int], W]) -> AsyncIterator[W]:
        watch = watches.get(channel_id)
        if watch is None:
            watch = watches[channel_id] = make(channel_id)
            watch.start()
        watch.readers += 1
        try:
            if watch.readers == 1:
                await self._subscribe(channel_id)
            yield watch
        finally:
            watch.readers -= 1
            if watch.readers == 0 and watches.get(channel_id) is watch:
                del watches[channel_id]
                watch.stop()
                await self._unsubscribe(channel_id)

    async def _subscribe(self, channel_id: int) -> None:
        """Without Valkey the page is still kept up, by polling."""
        with contextlib.suppress(RedisError, OSError):
            await self._pubsub.subscribe(topic_of(channel_id))

    async def _unsubscribe(self, channel_id: int) -> None:
        if channel_id not in self._watches and channel_id not in self._panels:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.unsubscribe(topic_of(channel_id))

    async def _listen(self) -> None:
        while True:
            try:
                await self._pubsub.subscribe(ALIVE_TOPIC, *(topic_of(each) for each in self._topics()))
                async for message in self._pubsub.listen():
                    self._dispatch(message)
            except (RedisError, OSError) as error:
                log.warning("Valkey is away (%s); pages are kept up by polling", type(error).__name__)
                await asyncio.sleep(RECONNECT_AFTER)
            for watch in (*self._watches.values(), *self._panels.values()):
                watch.check_everything()

    def _topics(self) -> set[int]:
        return self._watches.keys() | self._panels.keys()

    def _dispatch(self, message: dict[str, object]) -> None:
        topic, text = _text(message.get("channel")), _text(message.get("data"))
        try:
            channel_id = int(topic.removeprefix("user-tags:wake:"))
            wake_up = decode(channel_id, text)
        except ValueError:
            return
        for watches in (self._watches, self._panels):
            if watch := watches.get(channel_id):
                watch.wake(wake_up)


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)
