"""What web and worker are both made of: pool, Valkey, clock, keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from service.auth.quotas import OpenSubscriptions, RateLimiter
from service.domain.channels.lookup import ChannelFinder
from service.domain.events.recorder import EventRecorder
from service.domain.feed.hub import Hub
from service.domain.return_data.submission import ReturnRecorder
from service.domain.runtime import Runtime
from service.domain.tags.reader import UserReader
from service.foundation.clock import make_clock
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings, SettingsError
from service.storage.database.pool import open_pool
from service.valkey.connection import Valkey, open_valkey
from service.valkey.notifications import ValkeyPublisher
from service.valkey.task_queue import ArqQueue

VALKEY_TIMEOUT: Final = 2


@dataclass(frozen=True, slots=True)
class Resources:
    runtime: Runtime
    redis: Valkey
    queue: ArqQueue


@asynccontextmanager
async def open_resources(settings: Settings, *, answer_timeout: float = 60) -> AsyncIterator[Resources]:
    """Connects; a statement that takes longer than so many seconds fails.

    Raises SettingsError when the environment does not say where to, OSError when nobody is there.
    """
    if settings.database_url is None or settings.redis_url is None:
        raise SettingsError("DATABASE_URL and REDIS_URL must be set here; `user-tags up` starts both for you.")
    secret_box = SecretBox(settings.secrets_keys)
    pool = await open_pool(settings.database_url, size=settings.database_pool_size, answer_timeout=answer_timeout)
    redis = open_valkey(settings.redis_url, answer_timeout=VALKEY_TIMEOUT)
    publisher = ValkeyPublisher(redis)
    queue = ArqQueue(redis)
    try:
        clock = make_clock(settings.clock_offset_file)
        yield Resources(Runtime(pool, clock, publisher, queue, secret_box, settings), redis, queue)
    finally:
        await queue.close()
        await publisher.close()
        await redis.aclose()
        await pool.close()


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of the web process that resolvers call."""

    runtime: Runtime
    event_recorder: EventRecorder
    hub: Hub
    rate_limiter: RateLimiter
    return_recorder: ReturnRecorder
    subscriptions: OpenSubscriptions
    user_reader: UserReader
    channels: ChannelFinder
