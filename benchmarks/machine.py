"""A database with one bound channel for measurements, on real servers with real durability."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.loading import START
from service.domain.channels import ChannelDetails, Credentials, bind_channel
from service.domain.runtime import Runtime
from service.embedded import start_embedded
from service.entities.blocks import WakeUp
from service.entities.channels import Channel
from service.entities.enums import ChannelKind, Role
from service.entities.principal import Principal
from service.sealing import Sealer
from service.settings import Settings
from service.storage.database import open_pool
from service.storage.migrations import migrate

ROBOT = "bench"
SEALED_WITH = "a secret that only benchmarks use"


class SettableClock:
    """Stands still until it is set."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class CountingPublisher:
    """Takes wake-ups where nobody listens."""

    def __init__(self) -> None:
        self.published = 0

    def publish(self, wake_ups: Iterable[WakeUp]) -> None:
        self.published += sum(1 for _ in wake_ups)


class IdleQueue:
    """Takes tasks where nobody works."""

    def enqueue(self, name: str, *args: Any, job_id: str) -> None:
        pass


@dataclass(frozen=True, slots=True)
class Machine:
    """`runtime` writes at `clock`; `admin` is a bare connection for loading and looking."""

    runtime: Runtime
    clock: SettableClock
    boss: Principal
    channel: Channel
    admin: "asyncpg.Connection[asyncpg.Record]"
    database_url: str
    redis_url: str

    async def wal_position(self) -> int:
        """Bytes of write-ahead log since the beginning of time."""
        return int(await self.admin.fetchval("select pg_current_wal_lsn() - '0/0'::pg_lsn"))

    async def table_bytes(self, table: str) -> int:
        return int(await self.admin.fetchval("select pg_total_relation_size($1::regclass)", table))


@asynccontextmanager
async def machine(place: Path) -> AsyncIterator[Machine]:
    with start_embedded(place) as servers:
        await migrate(servers.database_url)
        pool = await open_pool(servers.database_url, size=10)
        admin = await asyncpg.connect(servers.database_url)
        settings = Settings(jwt_secret=SEALED_WITH, secrets_keys=(SEALED_WITH,))
        clock = SettableClock(START - timedelta(days=400))
        runtime = Runtime(pool, clock, CountingPublisher(), IdleQueue(), Sealer(settings.secrets_keys), settings)
        try:
            boss = Principal("bench", ROBOT, Role.CREATOR, START + timedelta(days=1))
            channel = await _bind(runtime, boss)
            clock.now = START
            yield Machine(runtime, clock, boss, channel, admin, servers.database_url, servers.redis_url)
        finally:
            await admin.close()
            await pool.close()


async def _bind(runtime: Runtime, boss: Principal) -> Channel:
    details = ChannelDetails(
        kind=ChannelKind.SERVICE_ACCOUNT,
        app_id="wxbenchmark0000001",
        name="Benchmark",
        verified=True,
        credentials=Credentials(),
    )
    return await bind_channel(runtime, boss, details)
