"""The service's own programs as real processes on the database under measurement."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

import psutil

from benchmarks.machine import BENCHMARK_SECRET, Machine
from service.dev.stack.servers import environment_with_package_path


@dataclass(frozen=True, slots=True)
class Web:
    """A web process that serves; `started_in` is the seconds until it did."""

    port: int
    pid: int
    started_in: float


def environment(machine: Machine) -> dict[str, str]:
    return environment_with_package_path() | {
        "DATABASE_URL": machine.database_url,
        "REDIS_URL": machine.redis_url,
        "USER_TAGS_SECRETS_KEY": BENCHMARK_SECRET,
        "USER_TAGS_JWT_SECRET": BENCHMARK_SECRET,
    }


@asynccontextmanager
async def web_process(
    machine: Machine, extra_environment: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Web]:
    """`extra_environment` environment variables may be given."""
    port = free_port()
    started = time.perf_counter()
    async with program(machine, "serve", "--port", str(port), extra_environment=extra_environment) as process:
        await wait_until_listening(port)
        yield Web(port, process.pid, time.perf_counter() - started)


@asynccontextmanager
async def program(
    machine: Machine, *arguments: str, extra_environment: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[asyncio.subprocess.Process]:
    """One of the program's commands, stopped at the end if it has not ended by itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "service",
        *arguments,
        env={**environment(machine), **extra_environment},
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_bytes(pid: int) -> int:
    return int(psutil.Process(pid).memory_info().rss)


async def wait_until_listening(port: int) -> None:
    for _ in range(1200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise TimeoutError("the web process did not start")
