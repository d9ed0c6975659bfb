"""Run the programs of the service as real processes on the measured database, and send requests to them."""

import asyncio
import socket
import sys
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import MappingProxyType

import psutil

from benchmarks.machine import BENCHMARK_SECRET, Machine
from service.dev.stack.servers import environment_with_package_path


@dataclass(frozen=True, slots=True)
class Web:
    """Describe a web process that accepts connections, `started_in` seconds after it was started."""

    port: int
    pid: int
    started_in: float


@dataclass(frozen=True, slots=True)
class Responses:
    """Hold the seconds until all requests were answered, and the seconds that each waited for its answer."""

    seconds: float
    waits: list[float]


def environment(machine: Machine) -> dict[str, str]:
    """Return the environment of a program that works on the database of `machine`."""
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
    """Run a web process on a free port, with further environment variables if given."""
    port = free_port()
    started = time.perf_counter()
    async with program(machine, "serve", "--port", str(port), extra_environment=extra_environment) as process:
        await wait_until_listening(port)
        yield Web(port, process.pid, time.perf_counter() - started)


@asynccontextmanager
async def program(
    machine: Machine, *arguments: str, extra_environment: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `user-tags` with these arguments, and stop it at the end of the block if it still runs."""
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
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process."""
    return int(psutil.Process(pid).memory_info().rss)


async def wait_until_listening(port: int) -> None:
    """Wait until a server accepts connections on the port; raises TimeoutError if none does."""
    for _ in range(6000):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except ConnectionError:
            await asyncio.sleep(0.01)
        else:
            writer.close()
            return
    raise TimeoutError("the web process did not start")


async def send_requests(port: int, requests: Iterable[bytes], expected: bytes, *, connections: int) -> Responses:
    """Send complete HTTP requests, each connection its next one when the last was answered.

    Raises RuntimeError if a body lacks the bytes `expected`.
    """
    remaining = iter(requests)
    waits: list[float] = []

    async def run_connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in remaining:
            sent = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            waits.append(time.perf_counter() - sent)
            if expected not in body:
                raise RuntimeError(f"unexpected answer {body!r}")
        writer.close()

    started = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(connections):
            group.create_task(run_connection())
    return Responses(time.perf_counter() - started, waits)
