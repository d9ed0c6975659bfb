"""Run what a web process is to the feed: a pool, a Valkey connection and a hub of its own."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from redis.asyncio import Redis

from service.domain.events.recorder import record_events
from service.domain.feed.hub import Hub
from service.domain.runtime import Publisher, Runtime
from service.entities.blocks import ChangeNotification
from service.entities.channels import Channel
from service.entities.jobs import JobChangeNotification
from service.entities.users import EventKind, UserEvent
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings
from service.storage.database.pool import open_pool
from service.valkey.notifications import ValkeyPublisher
from service.wechat.api.transport import WechatTransport
from tests.support.clock import FrozenClock
from tests.support.runtime import SECRETS_KEY, RecordingQueue

NO_HEALING = timedelta(minutes=10)


class DroppingPublisher:
    """Lose every notification."""

    def publish(self, notifications: Iterable[ChangeNotification | JobChangeNotification]) -> None:
        del notifications


@dataclass(frozen=True)
class FeedProcess:
    """Hold a hub with the runtime that writes beside it."""

    runtime: Runtime
    hub: Hub
    redis: Redis
    clock: FrozenClock

    async def record_events_of(self, channel: Channel, kind: EventKind, *openids: str) -> None:
        """Record the same event of several people, a second after the last: within one second, following wins."""
        self.clock.advance(timedelta(seconds=1))
        at = self.clock()
        await record_events(self.runtime, channel, [UserEvent(openid, kind, at) for openid in openids])


@asynccontextmanager
async def feed_process(
    database_url: str,
    redis_url: str,
    clock: FrozenClock,
    *,
    resync_interval: timedelta = NO_HEALING,
    drop_notifications: bool = False,
    pool_size: int = 4,
) -> AsyncIterator[FeedProcess]:
    """Run a process of the feed; by default it never compares versions, so all that arrives came by notification."""
    pool = await open_pool(database_url, size=pool_size)
    redis = Redis.from_url(redis_url, socket_timeout=2)
    valkey = ValkeyPublisher(redis)
    publisher: Publisher = DroppingPublisher() if drop_notifications else valkey
    hub = Hub(pool, redis, resync_interval=resync_interval)
    hub.start()
    try:
        yield FeedProcess(
            Runtime(
                pool,
                clock,
                publisher,
                RecordingQueue(),
                SecretBox((SECRETS_KEY,)),
                Settings(),
                WechatTransport(Settings()),
            ),
            hub,
            redis,
            clock,
        )
    finally:
        await hub.close()
        await valkey.close()
        await redis.aclose()
        await pool.close()
