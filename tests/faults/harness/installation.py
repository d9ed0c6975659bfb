"""A whole installation in processes of its own: PostgreSQL, Valkey, two web processes, a worker or two.

The web process `west` and the workers are connected directly, `east` through a network that can fail. With
`all_proxied` they all are.
"""

import asyncio
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpx

from service.storage.database.pool import Connection
from tests.faults.harness.bound_channel import BoundChannel, bind
from tests.faults.harness.programs import WebProgram, WorkerProgram
from tests.faults.harness.proxy import Proxy
from tests.faults.harness.servers import TIMEOUT, FaultyServer, copy_directory, postgres_in, valkey_in
from tests.support.clock import ClockOffsetFile
from tests.support.processes import environment
from tests.support.servers import free_port

SETTINGS: Final = {"FEED_HEAL_EVERY": "500ms", "DEFAULT_TAGS_EVERY": "1s", "DATABASE_POOL_SIZE": "5"}

# What pruning takes away is kept aside, so that every event can be compared with the change it tells of.
KEEP_PRUNED_ROWS: Final = """
create table pruned_user_change (like user_tag_change);
create table pruned_bulk_change (like bulk_tag_change);
create function remember() returns trigger language plpgsql as $$
begin
    execute format('insert into %I select ($1).*', tg_argv[0]) using old;
    return null;
end $$;
create trigger remember after delete on user_tag_change
for each row execute function remember('pruned_user_change');
create trigger remember after delete on bulk_tag_change
for each row execute function remember('pruned_bulk_change');
"""


class Installation:
    """Hold everything that runs, by name; see `FaultyServer`, `WebProgram` and `Proxy` for what can happen to each."""

    def __init__(self, directory: Path, settings: dict[str, str], *, all_proxied: bool = False) -> None:
        self.directory = directory
        self.time = ClockOffsetFile(directory / "offset")
        self.postgres = FaultyServer(postgres_in(directory))
        self.valkey = FaultyServer(valkey_in(directory))
        self.valkey.server.prepare()
        self.database_proxy = Proxy(free_port(), self.postgres.port)
        self.valkey_proxy = Proxy(free_port(), self.valkey.port)
        extra = SETTINGS | {"CLOCK_OFFSET_FILE": str(self.time.file)} | settings
        self.environment = environment(self.postgres.url, self.valkey.url, **extra)
        proxied = environment(
            _through_proxy(self.postgres.url, self.database_proxy),
            _through_proxy(self.valkey.url, self.valkey_proxy),
            **extra,
        )
        direct = proxied if all_proxied else self.environment
        self.west = WebProgram(direct, directory / "west.log")
        self.east = WebProgram(proxied, directory / "east.log")
        self.worker = WorkerProgram(direct, directory / "worker.log")
        self.second_worker = WorkerProgram(direct, directory / "second_worker.log")
        self.channel: BoundChannel

    @property
    def webs(self) -> tuple[WebProgram, WebProgram]:
        return self.west, self.east

    async def start(self, *, east: bool, workers: int, acting: bool) -> None:
        """Start everything that is wanted, with one channel bound, which acts at WeChat or only listens."""
        await asyncio.gather(self.postgres.start(), self.valkey.start())
        await asyncio.gather(self.database_proxy.start(), self.valkey_proxy.start())
        wanted = [self.west, *([self.east] if east else []), *(self.worker, self.second_worker)[:workers]]
        await asyncio.gather(*(program.start() for program in wanted))
        async with httpx.AsyncClient(base_url=self.west.url, trust_env=False, timeout=30) as http:
            self.channel = await bind(http, acting=acting)

    async def discard(self) -> None:
        for program in (*self.webs, self.worker, self.second_worker):
            await program.kill()
            if program.log_path.exists():
                print(f"--- {program.log_path.name} ---\n{program.tail_log()}")
        await asyncio.gather(self.database_proxy.close(), self.valkey_proxy.close())
        await asyncio.gather(self.postgres.discard(), self.valkey.discard())

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Connection]:
        connection = await asyncpg.connect(self.postgres.url)
        try:
            yield connection
        finally:
            await connection.close()

    async def rows(self, query: str, *values: Any) -> list[asyncpg.Record]:
        async with self.database() as connection:
            return await connection.fetch(query, *values)

    async def execute(self, script: str) -> None:
        async with self.database() as connection:
            await connection.execute(script)

    async def verify(self) -> None:
        """Check that `user-tags verify` finds nothing."""
        code, output = await self.run("verify")
        assert code == 0, output

    async def run(self, *arguments: str) -> tuple[int, str]:
        """Run a command to its end, and return its exit code and its output."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "service", *arguments),
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        async with asyncio.timeout(TIMEOUT):
            output, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, output.decode()

    async def back_up(self) -> None:
        """Copy the files of the database while it is down."""
        await self.postgres.stop()
        await asyncio.to_thread(copy_directory, self.postgres.server.data, self._backup)
        await self.postgres.start()

    async def restore(self) -> None:
        """Put the copy back."""
        await self.postgres.stop()
        await asyncio.to_thread(shutil.rmtree, self.postgres.server.data)
        await asyncio.to_thread(copy_directory, self._backup, self.postgres.server.data)
        await self.postgres.start()

    @property
    def _backup(self) -> Path:
        return self.directory / "backup"


def _through_proxy(url: str, proxy: Proxy) -> str:
    return urlsplit(url)._replace(netloc=urlsplit(url).netloc.rpartition(":")[0] + f":{proxy.port}").geturl()


Install = Callable[..., Awaitable[Installation]]
