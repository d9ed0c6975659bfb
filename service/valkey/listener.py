"""The way in for wake-ups: one pub/sub connection, kept subscribed to the channels somebody watches."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from service.entities.blocks import WakeUp
from service.entities.jobs import JobWakeUp
from service.foundation.cancellation import cancel_for_good, obey_cancellation
from service.valkey.notifications import channel_of, decode, topic_of

ALIVE_TOPIC: Final = "user-tags:alive"
RECONNECT_AFTER: Final = 0.5
ASK_EVERY: Final = 1.0
LONGEST_SILENCE: Final = 5.0

log = logging.getLogger(__name__)


class Listener:
    """Runs for ever, and connects again whenever the connection breaks or falls silent.

    `wanted` answers the channels to listen to, `heard` gets their wake-ups. `subscribed` is called when those of a
    channel begin to arrive, also after a reconnection: earlier ones may be lost.
    """

    def __init__(
        self,
        redis: Redis,
        *,
        wanted: Callable[[], set[int]],
        heard: Callable[[WakeUp | JobWakeUp], None],
        subscribed: Callable[[int], None],
    ) -> None:
        self._redis = redis
        self._wanted = wanted
        self._heard = heard
        self._subscribed = subscribed
        self._changed = asyncio.Event()
        self._away = False

    def settle(self) -> None:
        """Says that what is wanted has changed."""
        self._changed.set()

    async def run(self) -> None:
        while True:
            try:
                async with self._redis.pubsub() as pubsub:
                    await pubsub.subscribe(ALIVE_TOPIC)
                    self._away = False
                    await self._listen(pubsub)
            except (RedisError, OSError) as error:
                if not self._away:
                    log.warning("Valkey is away (%s); pages are kept up by polling", type(error).__name__)
                self._away = True
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen(self, pubsub: PubSub) -> None:
        loop = asyncio.get_running_loop()
        heard_at = loop.time()
        asking = asyncio.create_task(self._ask(pubsub), name="feed topics")
        try:
            while not asking.done():
                obey_cancellation()
                message = await pubsub.get_message(timeout=ASK_EVERY)
                if message is not None:
                    heard_at = loop.time()
                    self._dispatch(message)
                elif loop.time() - heard_at > LONGEST_SILENCE:
                    raise TimeoutError
            # Whatever it failed with, the connection is of no more use.
            raise ConnectionError
        finally:
            await cancel_for_good(asking)

    async def _ask(self, pubsub: PubSub) -> None:
        """Subscribes to what is wanted and to nothing else, and asks for a sign of life now and then."""
        channels: set[int] = set()
        while True:
            self._changed.clear()
            wanted = self._wanted()
            if missing := wanted - channels:
                await pubsub.subscribe(*map(topic_of, missing))
            if spare := channels - wanted:
                await pubsub.unsubscribe(*map(topic_of, spare))
            channels = wanted
            await pubsub.ping()
            obey_cancellation()
            with suppress(TimeoutError):
                async with asyncio.timeout(ASK_EVERY):
                    await self._changed.wait()

    def _dispatch(self, message: dict[str, object]) -> None:
        channel_id = channel_of(_text(message["channel"]))
        if channel_id is None:
            return
        if message["type"] == "subscribe":
            self._subscribed(channel_id)
        elif message["type"] == "message":
            with suppress(ValueError):
                self._heard(decode(channel_id, _text(message["data"])))


def _text(value: object) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
