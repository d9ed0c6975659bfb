"""Open what a worker has beside a web process, for tests that do its work themselves."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import redis.asyncio as redis

from service.domain.runtime import Runtime
from service.foundation.clock import make_clock
from service.foundation.encryption import SecretBox
from service.storage.database.pool import open_pool
from service.valkey.notifications import ValkeyPublisher
from service.wechat.api.transport import WechatTransport
from tests.support.runtime import RecordingQueue
from tests.support.web import SECRETS_KEY, WebClient


@asynccontextmanager
async def worker_runtime(web: WebClient) -> AsyncGenerator[Runtime]:
    """Run the domain on the database and Valkey of a web process."""
    settings = web.settings
    pool = await open_pool(settings.database_url or "", size=2)
    valkey = redis.Redis.from_url(settings.redis_url or "", socket_timeout=2)
    publisher, wechat = ValkeyPublisher(valkey), WechatTransport(settings)
    try:
        yield Runtime(pool, make_clock(None), publisher, RecordingQueue(), SecretBox((SECRETS_KEY,)), settings, wechat)
    finally:
        await wechat.aclose()
        await publisher.close()
        await valkey.aclose()
        await pool.close()
