"""Send change notifications over Valkey pub/sub: one small line per changed block, after the commit.

Nothing depends on one arriving: a process that misses some compares versions every few seconds
(docs/architecture/05-one-hub.md).
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable
from typing import Final

from redis.asyncio import Redis

from service.entities.blocks import ChangeNotification
from service.entities.jobs import JobChangeNotification
from service.foundation.cancellation import cancel_and_wait
from service.valkey.connection import VALKEY_ERRORS

MAX_PENDING: Final = 10_000
MAX_MESSAGES_PER_PIPELINE: Final = 500

# What the columns hold: anybody who can write to Valkey can publish anything.
MAX_NUMBER: Final = 2**63 - 1
MAX_BLOCK: Final = 2**31 - 1
MAX_DIGITS: Final = 19

TOPIC_PREFIX: Final = "user-tags:wake:"

log = logging.getLogger(__name__)


def topic_of_channel(channel_id: int) -> str:
    """Return the pub/sub topic of a channel's notifications."""
    return f"{TOPIC_PREFIX}{channel_id}"


def channel_of_topic(topic: str) -> int | None:
    """Return the channel's id; None for anything that `topic_of_channel` does not return."""
    number = topic.removeprefix(TOPIC_PREFIX)
    return int(number) if number != topic and number.isdecimal() else None


def encode(notification: ChangeNotification | JobChangeNotification) -> str:
    """Return the line of a notification: `BLOCK:VERSION`, `tags:VERSION` or `job:ID`. The topic names the channel."""
    if isinstance(notification, JobChangeNotification):
        return f"job:{notification.job_id}"
    return f"{'tags' if notification.block is None else notification.block}:{notification.version}"


def decode(channel_id: int, text: str) -> ChangeNotification | JobChangeNotification:
    """Return the notification of a line. Raises ValueError for anything that `encode` does not return."""
    block, _, version = text.partition(":")
    number = _number(version, MAX_NUMBER)
    if block == "job":
        return JobChangeNotification(channel_id, number)
    return ChangeNotification(channel_id, None if block == "tags" else _number(block, MAX_BLOCK), number)


def _number(text: str, largest: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= MAX_DIGITS) or int(text) > largest:
        raise ValueError("This is no number of ours.")
    return int(text)


class ValkeyPublisher:
    """Publish notifications in the background, so that no request ever waits for Valkey."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._waiting: asyncio.Queue[ChangeNotification | JobChangeNotification] = asyncio.Queue(MAX_PENDING)
        self._sender = asyncio.create_task(self._send_all(), name="notification publisher")
        self._failing = False

    def publish(self, notifications: Iterable[ChangeNotification | JobChangeNotification]) -> None:
        """Send these soon. Those that come while 10,000 are waiting are dropped."""
        for notification in notifications:
            try:
                self._waiting.put_nowait(notification)
            except asyncio.QueueFull:
                return

    async def close(self) -> None:
        """Send what is waiting if Valkey takes it within a second, then stop."""
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
            except VALKEY_ERRORS as error:
                if not self._failing:
                    log.warning(
                        "Valkey takes no notifications (%s); pages are kept up by polling", type(error).__name__
                    )
                self._failing = True
            finally:
                for _ in batch:
                    self._waiting.task_done()
