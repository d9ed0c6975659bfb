"""Run the real program, or Node.js, in processes of its own, with its log kept."""

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import pytest

from tests.support.servers import free_port
from tests.support.waiting import wait_until

JWT_SECRET: Final = "the real processes' own signing secret of 32 bytes and more"
SECRETS_KEY: Final = "the real processes' own encryption secret of 32 bytes and more"
TIMEOUT: Final = 60.0  # a loaded machine takes its time to start a process
EXAMPLES: Final = Path(__file__).parents[2] / "examples" / "live"
NODE_IS_MISSING: Final = "Node.js and npm are not installed"


def environment(database_url: str, redis_url: str, **extra: str) -> dict[str, str]:
    """Return everything a process needs; what is extra goes by names without the prefix `USER_TAGS_`."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("USER_TAGS_")}
    return {
        **clean,
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "USER_TAGS_JWT_SECRET": JWT_SECRET,
        "USER_TAGS_SECRETS_KEY": SECRETS_KEY,
        **{f"USER_TAGS_{name}": value for name, value in extra.items()},
    }


def reset_environment(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Give this process no other settings than these, by names without the prefix `USER_TAGS_`, until the test ends."""
    for name in [name for name in os.environ if name.startswith("USER_TAGS_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(f"USER_TAGS_{name}", value)


@dataclass(frozen=True)
class ServiceProcess:
    """Hold one running `user-tags` command."""

    process: asyncio.subprocess.Process
    log: Path

    @property
    def alive(self) -> bool:
        """Return whether it still runs."""
        return self.process.returncode is None

    @property
    def output(self) -> str:
        """Return everything it wrote so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def count_in_log(self, text: str) -> int:
        """Return how often the log has this text."""
        return self.output.count(text)

    async def wait_for_log(self, text: str, times: int = 1, within: float = TIMEOUT) -> None:
        """Wait until the log has this text so many times. Raises AssertionError when the process ends before."""
        await wait_until(lambda: self.count_in_log(text) >= times or self._died(), within=within)

    async def terminate(self, within: float = TIMEOUT) -> int:
        """Ask it to stop, and return its exit code."""
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(within):
            return await self.process.wait()

    async def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()
        await self.process.wait()

    def _died(self) -> bool:
        assert self.alive, f"it ended with {self.process.returncode}"
        return False


@asynccontextmanager
async def command(environment: Mapping[str, str], log: Path, *arguments: str) -> AsyncIterator[ServiceProcess]:
    """Run `user-tags` with arguments and kill it in the end; show its log when the test fails."""
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "service", *arguments, env=environment, stdout=output, stderr=output
        )
    running = ServiceProcess(process, log)
    try:
        yield running
    except BaseException:
        print(f"--- {log.name} ---\n{running.output}")
        raise
    finally:
        if running.alive:
            await running.kill()


@asynccontextmanager
async def worker(environment: Mapping[str, str], log: Path) -> AsyncIterator[ServiceProcess]:
    """Run a worker."""
    async with command(environment, log, "worker") as running:
        yield running


@asynccontextmanager
async def web(environment: Mapping[str, str], log: Path) -> AsyncIterator[str]:
    """Run a web process on a free port and yield its address once it is ready."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    full_environment = {**environment, "USER_TAGS_PUBLIC_URL": url}
    async with (
        command(full_environment, log, "serve", "--port", str(port)) as running,
        httpx.AsyncClient(trust_env=False) as http,
    ):

        async def ready() -> bool:
            assert running.alive, "the web process ended"
            try:
                return (await http.get(f"{url}/readyz")).status_code == httpx.codes.OK
            except httpx.TransportError:
                return False

        await wait_until(ready, within=TIMEOUT)
        yield url


async def run_to_completion(environment: Mapping[str, str], log: Path, *arguments: str) -> tuple[int, str]:
    """Run a command until it ends by itself, and return its exit code and its output."""
    async with command(environment, log, *arguments) as running, asyncio.timeout(TIMEOUT):
        code = await running.process.wait()
    return code, running.output


def find_node(packages: Path) -> str | None:
    """Install the packages that a directory's lock names; return the path of Node.js, None where there is none."""
    found, npm = shutil.which("node"), shutil.which("npm")
    if found is None or npm is None:
        return None
    lock = packages / "package-lock.json"
    installed = packages / "node_modules" / ".package-lock.json"
    with _locked(packages):
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            subprocess.run(command, cwd=packages, check=True, capture_output=True, timeout=110)
    return found


def node(packages: Path = EXAMPLES) -> str:
    """Install the packages and return the path of Node.js; skip the test where there is none."""
    found = find_node(packages)
    if found is None:
        pytest.skip(NODE_IS_MISSING)
    return found


@contextmanager
def _locked(packages: Path) -> Iterator[None]:
    """Let one process of the run install while the others wait; a lock on the directory leaves no file."""
    directory = os.open(packages, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        yield
    finally:
        os.close(directory)
