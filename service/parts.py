"""What web and worker are both made of: pool, Valkey, clock, keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff

from service.clock import make_clock
from service.domain.runtime import Runtime
from service.domain.wake_ups import ValkeyPublisher
from service.job_queue import ArqQueue
from service.sealing import Sealer
from service.settings import Settings, SettingsError
from service.storage.database import open_pool

VALKEY_ANSWERS_WITHIN: Final = 2


@dataclass(frozen=True, slots=True)
class Parts:
    runtime: Runtime
    redis: Redis
    queue: ArqQueue


def open_redis(url: str, *, answered_within: float) -> Redis:
    """Valkey, which is given up on after so many seconds of silence. Nobody is connected yet."""
    redis: Redis = Redis.from_url(
        url,
        socket_timeout=answered_within,
        socket_connect_timeout=2,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.5), 1),
    )
    return redis


@asynccontextmanager
async def open_parts(settings: Settings, *, answered_within: float = 60) -> AsyncIterator[Parts]:
    """Connects; a statement that takes longer than so many seconds fails.

    Raises SettingsError when the environment does not say where to, OSError when nobody is there.
    """
    if settings.database_url is None or settings.redis_url is None:
        raise SettingsError("DATABASE_URL and REDIS_URL must be set here; `user-tags up` starts both for you.")
    sealer = Sealer(settings.secrets_keys)
    pool = await open_pool(settings.database_url, size=settings.database_pool_size, answered_within=answered_within)
    redis = open_redis(settings.redis_url, answered_within=VALKEY_ANSWERS_WITHIN)
    publisher = ValkeyPublisher(redis)
    queue = ArqQueue(redis)
    try:
        clock = make_clock(settings.clock_offset_file)
        yield Parts(Runtime(pool, clock, publisher, queue, sealer, settings), redis, queue)
    finally:
        await queue.close()
        await publisher.close()
        await redis.aclose()
        await pool.close()
