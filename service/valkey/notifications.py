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

from service.entities.blocks import WakeUp
from service.entities.jobs import JobWakeUp
from service.foundation.cancellation import cancel_for_good

MOST_WAITING: Final = 10_000
MOST_A_PIPELINE: Final = 500

TOPIC: Final = "user-tags:wake:"

log = logging.getLogger(__name__)


def topic_of(channel_id: int) -> str:
    return f"{TOPIC}{channel_id}"


def channel_of(topic: str) -> int | None:
    """None for anything `topic_of` never makes."""
    number = topic.removeprefix(TOPIC)
    return int(number) if number != topic and number.isdecimal() else None


def encode(wake_up: WakeUp | JobWakeUp) -> str:
    if isinstance(wake_up, JobWakeUp):
        return f"job:{wake_up.job_id}"
    return f"{'tags' if wake_up.block is None else wake_up.block}:{wake_up.version}"


def decode(channel_id: int, text: str) -> WakeUp | JobWakeUp:
    """Raises ValueError on anything `encode` never makes."""
    block, _, version = text.partition(":")
    if block == "job":
        return JobWakeUp(channel_id, int(version))
    return WakeUp(channel_id, None if block == "tags" else int(block), int(version))


class ValkeyPublisher:
    """Sends wake-ups in the background, so that no request ever waits for Valkey."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._waiting: asyncio.Queue[WakeUp | JobWakeUp] = asyncio.Queue(MOST_WAITING)
        self._sender = asyncio.create_task(self._send_all(), name="wake-up publisher")
        self._failing = False

    def publish(self, wake_ups: Iterable[WakeUp | JobWakeUp]) -> None:
        for wake_up in wake_ups:
            try:
                self._waiting.put_nowait(wake_up)
            except asyncio.QueueFull:
                return

    async def close(self) -> None:
        """Sends what is waiting if Valkey takes it within a second."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._waiting.join(), 1)
        await cancel_for_good(self._sender)

    async def _send_all(self) -> None:
        while True:
            batch = [await self._waiting.get()]
            while len(batch) < MOST_A_PIPELINE and not self._waiting.empty():
                batch.append(self._waiting.get_nowait())
            try:
                async with self._redis.pipeline(transaction=False) as pipeline:
                    for wake_up in batch:
                        pipeline.publish(topic_of(wake_up.channel_id), encode(wake_up))
                    await pipeline.execute()
                self._failing = False
            except (RedisError, OSError) as error:
                if not self._failing:
                    log.warning("Valkey takes no wake-ups (%s); pages are kept up by polling", type(error).__name__)
                self._failing = True
            finally:
                for _ in batch:
                    self._waiting.task_done()
