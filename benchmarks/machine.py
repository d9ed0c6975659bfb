"""Give each benchmark a database with a loaded channel, on servers that write to disk as in production."""

import hashlib
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from benchmarks import loading
from benchmarks.loading import BOUND_AT, START, load_users
from service.dev.stack.servers import EmbeddedServers, start_embedded
from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeNotification
from service.entities.channels import Channel, ChannelKind
from service.entities.jobs import JobChangeNotification
from service.entities.principal import Principal, Role
from service.entities.tasks import TaskName
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings
from service.storage.channels import all_channels
from service.storage.database.migrations import migrate
from service.storage.database.pool import BareConnection, open_pool
from service.storage.database.sql_files import read_sql
from service.wechat.api.transport import WechatTransport

ROBOT: Final = "bench"
LOADED_APP_ID: Final = "wxbenchmark0000001"
BENCHMARK_SECRET: Final = "a secret that only benchmarks use"  # noqa: S105 - guards nothing
COPY: Final = "bench"
LOADING: Final = "loading"
STATEMENT_TIMEOUT: Final = 600.0
# Reads tables into memory, where they would be after an hour of work.
WARM_CACHE: Final = """
create extension pg_prewarm;
select pg_prewarm(oid) from pg_class where relname in (
    'tag_members', 'channel_user', 'channel_user_pkey', 'channel_user_openid', 'alarm', 'alarm_pkey'
)
"""
# Writes to every page of channel_user, so that each is logged whole now and not again before the next checkpoint.
TOUCH_PAGES: Final = "update channel_user set first_seen_at = first_seen_at where ordinal % 20 = 0"


class SettableClock:
    """Answer the time it was set to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


class SilentPublisher:
    """Take notifications for which nobody listens."""

    def publish(self, notifications: Iterable[ChangeNotification | JobChangeNotification]) -> None:
        """Do nothing."""
        del notifications


class IdleQueue:
    """Take tasks that nobody works on."""

    def enqueue(self, name: TaskName, *args: Any, task_id: str) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True)
class Wal:
    """Hold an amount of write-ahead log: bytes, and full-page images, one for each page after a checkpoint."""

    size: int
    page_images: int


@dataclass(frozen=True, slots=True)
class Machine:
    """Hold a channel of `users` users, evaluated at START. `runtime` writes at `clock`; `admin` is not pooled."""

    users: int
    runtime: Runtime
    clock: SettableClock
    principal: Principal
    channel: Channel
    admin: BareConnection
    database_url: str
    redis_url: str

    async def wal(self) -> Wal:
        """Return all write-ahead log since the servers were started."""
        row = await self.admin.fetchrow(
            "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as size, wal_fpi from pg_stat_wal"
        )
        if row is None:
            raise LookupError("pg_stat_wal always has a row")
        return Wal(int(row["size"]), int(row["wal_fpi"]))

    async def wal_since(self, before: Wal) -> Wal:
        """Return the write-ahead log since an earlier `wal`."""
        now = await self.wal()
        return Wal(now.size - before.size, now.page_images - before.page_images)

    async def table_bytes(self, table: str) -> int:
        """Return the size of a table with its indexes."""
        return int(await self.admin.fetchval("select pg_total_relation_size($1::regclass)", table))


@asynccontextmanager
async def loaded_servers(directory: Path, users: int) -> AsyncIterator[EmbeddedServers]:
    """Run servers on `directory` with a database that has a loaded channel, from which copies are made."""
    with start_embedded(directory) as servers:
        admin = await asyncpg.connect(servers.database_url)
        try:
            name = _loaded_name(users)
            for row in await admin.fetch("select datname from pg_database where datname ~ '^(bench|loading|loaded_)'"):
                if row["datname"] != name:
                    await admin.execute(f"drop database {row['datname']} with (force)")
            if not await admin.fetchval("select count(*) from pg_database where datname = $1", name):
                await _load(admin, servers, users)
                await admin.execute(f"alter database {LOADING} rename to {name}")
            yield servers
        finally:
            await admin.close()


@asynccontextmanager
async def fresh_machine(servers: EmbeddedServers, users: int) -> AsyncIterator[Machine]:
    """Copy the loaded channel, which ends with a checkpoint, and drop the copy when the block ends."""
    admin = await asyncpg.connect(servers.database_url)
    url = _url_of(servers, COPY)
    try:
        await admin.execute(f"create database {COPY} template {_loaded_name(users)} strategy file_copy")
        async with open_runtime(url, START) as runtime:
            connection = await asyncpg.connect(url, command_timeout=STATEMENT_TIMEOUT)
            try:
                await connection.execute(WARM_CACHE)
                (channel,) = await all_channels(connection)
                clock = runtime.clock
                assert isinstance(clock, SettableClock)  # noqa: S101 - made a few lines below
                yield Machine(users, runtime, clock, _principal(), channel, connection, url, servers.redis_url)
            finally:
                await connection.close()
    finally:
        await admin.execute(f"drop database if exists {COPY} with (force)")
        await admin.close()


async def _load(admin: BareConnection, servers: EmbeddedServers, users: int) -> None:
    started = time.perf_counter()
    await admin.execute(f"create database {LOADING}")
    url = _url_of(servers, LOADING)
    await migrate(url)
    async with open_runtime(url, BOUND_AT) as runtime:
        channel = await _bind(runtime)
    await load_users(url, channel, users)
    print(f"[loaded {users:,} users in {time.perf_counter() - started:.0f} s]\n", flush=True)


def _loaded_name(users: int) -> str:
    """Return the name of the database, which changes with the code that loads it."""
    code = [
        Path(loading.__file__).read_text(encoding="utf-8"),
        *read_sql("migrations").values(),
        *read_sql("functions").values(),
    ]
    digest = hashlib.sha256("".join(code).encode()).hexdigest()[:12]
    return f"loaded_{users}_{digest}"


def _url_of(servers: EmbeddedServers, database: str) -> str:
    return urlsplit(servers.database_url)._replace(path=f"/{database}").geturl()


@asynccontextmanager
async def open_runtime(url: str, now: datetime) -> AsyncIterator[Runtime]:
    """Yield a runtime on a database, whose clock stands at an instant."""
    settings = Settings(jwt_secret=BENCHMARK_SECRET, secrets_keys=(BENCHMARK_SECRET,))
    pool = await open_pool(url, size=settings.database_pool_size)
    try:
        yield Runtime(
            pool,
            SettableClock(now),
            SilentPublisher(),
            IdleQueue(),
            SecretBox(settings.secrets_keys),
            settings,
            WechatTransport(settings),
        )
    finally:
        await pool.close()


def _principal() -> Principal:
    return Principal("bench", ROBOT, Role.CREATOR, START + timedelta(days=1))


async def _bind(runtime: Runtime) -> Channel:
    details = ChannelDetails(
        kind=ChannelKind.SERVICE_ACCOUNT,
        app_id=LOADED_APP_ID,
        name="Benchmark",
        verified=True,
        credentials=Credentials(),
    )
    return await bind_channel(runtime, _principal(), details)
