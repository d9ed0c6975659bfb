"""Run web processes and workers that can be killed, frozen and started again on their ports."""

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
import psutil

from service.dev.stack.account import die_with_parent
from service.dev.stack.servers import tail_log
from tests.faults.harness.servers import TIMEOUT, signal_if_running
from tests.support.servers import free_port
from tests.support.waiting import wait_until

STATS_PREFIX: Final = "service.web.diagnostics: process stats "
STATS_LINE: Final = re.compile(f"{STATS_PREFIX}(.*)\n")


class Program:
    """Run one `user-tags` command until it is stopped, with one log for all its lives."""

    def __init__(self, environment: Mapping[str, str], log_path: Path, *arguments: str) -> None:
        self.log_path = log_path
        self._environment = environment
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        self._log_offset = 0

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    async def start(self) -> None:
        """Start, as often as it takes: without a database a process ends, and whoever runs it starts it again."""
        self._launch()

        async def ready() -> bool:
            if not self.alive:
                self._launch()
            return await self.ready()

        await wait_until(ready, within=TIMEOUT)

    async def ready(self) -> bool:
        raise NotImplementedError

    async def kill(self) -> None:
        await self._stop_with(signal.SIGKILL)

    async def stop(self) -> int:
        """Ask it to end, and return its exit code."""
        return await self._stop_with(signal.SIGTERM)

    async def freeze(self, duration: float) -> None:
        """Stop it for a while, as if its machine had stopped."""
        self._signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(duration)
        finally:
            self._signal(signal.SIGCONT)

    async def restart(self, duration: float) -> None:
        await self.stop()
        await asyncio.sleep(duration)
        await self.start()

    async def crash(self, duration: float) -> None:
        await self.kill()
        await asyncio.sleep(duration)
        await self.start()

    def tail_log(self) -> str:
        return tail_log(self.log_path, lines=100)

    def log_since_start(self) -> str:
        with self.log_path.open("rb") as log:
            log.seek(self._log_offset)
            return log.read().decode(errors="replace")

    def _signal(self, what: signal.Signals) -> None:
        if self._process is not None:
            signal_if_running(self._process, what)

    async def _stop_with(self, how: signal.Signals) -> int:
        process = self._process
        if process is None:
            return 0
        signal_if_running(process, how)
        await wait_until(lambda: process.poll() is not None, within=TIMEOUT)
        return process.returncode

    def _launch(self) -> None:
        with self.log_path.open("ab") as log:
            self._log_offset = log.tell()
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service", *self._arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                preexec_fn=_end_with_the_tests,  # noqa: PLW1509 - it only talks to the kernel
            )


@dataclass(frozen=True, slots=True)
class ProcessStats:
    """Say what a web process holds, and its resident memory in MiB."""

    subscriptions: int
    pages: int
    connections: int
    idle: int
    blocks: int
    tasks: Mapping[str, int]
    memory: float


class WebProgram(Program):
    """Run a web process on a port that it keeps."""

    def __init__(self, environment: Mapping[str, str], log_path: Path) -> None:
        self.port: Final = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(environment, log_path, "serve", "--port", str(self.port))

    async def ready(self) -> bool:
        try:
            async with httpx.AsyncClient(trust_env=False, timeout=3) as http:
                return (await http.get(f"{self.url}/readyz")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    async def process_stats(self) -> ProcessStats:
        """Ask it by SIGUSR1, and read the answer in its log."""
        before = self.log_since_start().count(STATS_PREFIX)
        self._signal(signal.SIGUSR1)
        await wait_until(lambda: STATS_LINE.findall(self.log_since_start())[before:], within=TIMEOUT)
        stats = json.loads(STATS_LINE.findall(self.log_since_start())[before])
        assert self._process is not None
        return ProcessStats(**stats, memory=psutil.Process(self._process.pid).memory_info().rss / 2**20)


class WorkerProgram(Program):
    """Run a worker; it is ready when it has found the database and Valkey."""

    def __init__(self, environment: Mapping[str, str], log_path: Path) -> None:
        super().__init__(environment, log_path, "worker")

    async def ready(self) -> bool:
        return "Starting worker" in self.log_since_start()


def _end_with_the_tests() -> None:
    die_with_parent(signal.SIGKILL)
