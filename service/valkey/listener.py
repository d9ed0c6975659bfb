"""Receive change notifications: one pub/sub connection, kept subscribed to the channels that are watched."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

from service.entities.blocks import ChangeNotification
from service.entities.jobs import JobChangeNotification
from service.foundation.cancellation import cancel_and_wait, raise_if_cancelled
from service.valkey.connection import VALKEY_ERRORS
from service.valkey.notifications import channel_of_topic, decode, topic_of_channel

# Subscribed to at once, so that the connection can be read before any channel is watched.
KEEPALIVE_TOPIC: Final = "user-tags:alive"
# Seconds.
RECONNECT_DELAY: Final = 0.5
PING_INTERVAL: Final = 1.0
MAX_SILENCE: Final = 5.0

log = logging.getLogger(__name__)


class Listener:
    """Pass on the notifications of the wanted channels; reconnect whenever the connection breaks or falls silent.

    `wanted_channels` returns the ids of the channels to listen to, `on_notification` gets their notifications.
    `on_subscribed` is called when those of a channel begin to arrive, also after a reconnection: earlier ones may be
    lost.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        wanted_channels: Callable[[], set[int]],
        on_notification: Callable[[ChangeNotification | JobChangeNotification], None],
        on_subscribed: Callable[[int], None],
    ) -> None:
        self._redis = redis
        self._wanted_channels = wanted_channels
        self._on_notification = on_notification
        self._on_subscribed = on_subscribed
        self._changed = asyncio.Event()
        self._disconnected = False

    def update_subscriptions(self) -> None:
        """Note that the wanted channels have changed, and subscribe accordingly soon."""
        self._changed.set()

    async def run(self) -> None:
        """Listen until cancelled."""
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(KEEPALIVE_TOPIC)
                    self._disconnected = False
                    await self._listen(pubsub)
            except VALKEY_ERRORS as error:
                if not self._disconnected:
                    log.warning("Valkey is away (%s); pages are kept up by polling", type(error).__name__)
                self._disconnected = True
            await asyncio.sleep(RECONNECT_DELAY)

    async def _listen(self, pubsub: PubSub) -> None:
        loop = asyncio.get_running_loop()
        heard_at = loop.time()
        subscribing = asyncio.create_task(self._keep_subscribed(pubsub), name="feed topics")
        try:
            while not subscribing.done():
                raise_if_cancelled()
                message = await pubsub.get_message(timeout=PING_INTERVAL)
                if message is not None:
                    heard_at = loop.time()
                    self._dispatch(message)
                elif loop.time() - heard_at > MAX_SILENCE:
                    raise TimeoutError
            # Whatever subscribing failed with, this connection cannot be used any more.
            raise ConnectionError
        finally:
            await cancel_and_wait(subscribing)

    async def _keep_subscribed(self, pubsub: PubSub) -> None:
        """Subscribe to the wanted channels and no others, and ping, every second or when they change."""
        channels: set[int] = set()
        while True:
            self._changed.clear()
            wanted_channels = self._wanted_channels()
            if missing := wanted_channels - channels:
                await pubsub.subscribe(*map(topic_of_channel, missing))
            if spare := channels - wanted_channels:
                await pubsub.unsubscribe(*map(topic_of_channel, spare))
            channels = wanted_channels
            await pubsub.ping()
            raise_if_cancelled()
            with suppress(TimeoutError):
                async with asyncio.timeout(PING_INTERVAL):
                    await self._changed.wait()

    def _dispatch(self, message: dict[str, object]) -> None:
        channel_id = channel_of_topic(_text(message["channel"]))
        if channel_id is None:
            return
        if message["type"] == "subscribe":
            self._on_subscribed(channel_id)
        elif message["type"] == "message":
            with suppress(ValueError):
                self._on_notification(decode(channel_id, _text(message["data"])))


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
