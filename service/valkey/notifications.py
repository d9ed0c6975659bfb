"""Wake-ups over Valkey pub/sub: one small line per changed block, sent after the commit.

Nothing depends on one arriving. A process that misses some compares versions every few seconds.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis
from redis.exceptions import RedisError

from service.entities.blocks import ChangeNotification
from service.entities.jobs import JobChangeNotification
from service.foundation.cancellation import cancel_and_wait

MAX_PENDING: Final = 10_000
MAX_MESSAGES_PER_PIPELINE: Final = 500

TOPIC_PREFIX: Final = "user-tags:wake:"

log = logging.getLogger(__name__)


def topic_of_channel(channel_id: int) -> str:
    return f"{TOPIC_PREFIX}{channel_id}"


def channel_of_topic(topic: str) -> int | None:
    """None for anything `topic_of_channel` never makes."""
    number = topic.removeprefix(TOPIC_PREFIX)
    return int(number) if number != topic and number.isdecimal() else None


def encode(notification: ChangeNotification | JobChangeNotification) -> str:
    if isinstance(notification, JobChangeNotification):
        return f"job:{notification.job_id}"
    return f"{'tags' if notification.block is None else notification.block}:{notification.version}"


def decode(channel_id: int, text: str) -> ChangeNotification | JobChangeNotification:
    """Raises ValueError on anything `encode` never makes."""
    block, _, version = text.partition(":")
    if block == "job":
        return JobChangeNotification(channel_id, int(version))
    return ChangeNotification(channel_id, None if block == "tags" else int(block), int(version))


class ValkeyPublisher:
    """Sends wake-ups in the background, so that no request ever waits for Valkey."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._waiting: asyncio.Queue[ChangeNotification | JobChangeNotification] = asyncio.Queue(MAX_PENDING)
        self._sender = asyncio.create_task(self._send_all(), name="wake-up publisher")
        self._failing = False

    def publish(self, notifications: Iterable[ChangeNotification | JobChangeNotification]) -> None:
        for notification in notifications:
            try:
                self._waiting.put_nowait(notification)
            except asyncio.QueueFull:
                return

    async def close(self) -> None:
        """Sends what is waiting if Valkey takes it within a second."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), 1)
        await cancel_and_wait(self._sender)

    async def _send_all(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MAX_MESSAGES_PER_PIPELINE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for notification in batch:
                        pipeline.publish(topic_of_channel(notification.channel_id), encode(notification))
                    await pipeline.execute()
                self._failing = False
            except (RedisError, OSError) as error:
                if not self._failing:
                    log.warning("Valkey takes no wake-ups (%s); pages are kept up by polling", type(error).__name__)
                self._failing = True
            finally:
                for _ in batch:
                    self._waiting.task_done()
