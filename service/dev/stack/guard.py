"""Own the embedded servers: start them, restart one that fails, and stop both at the end.

`service.dev.stack.servers` runs it as `python -m service.dev.stack.guard CONFIG`. It reports one line of JSON on stdout
and lives until its stdin ends, as it does when the process that started it stops or dies in any way.
"""

import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from service.dev.stack.account import choose_os_account
from service.dev.stack.postgres import Postgres
from service.dev.stack.server_process import POLL_INTERVAL, Server
from service.dev.stack.servers import DataDirectoryInUseError, EmbeddedError
from service.dev.stack.valkey import Valkey

LOCK_TIMEOUT: Final = 30.0
WATCH_INTERVAL: Final = 0.5


def main(config_json: str) -> int:
    """Run the servers that `config_json`, from `start_embedded`, names until stdin ends; returns the exit status."""
    for request in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # A signal to a whole process group must not stop the servers before the processes that use them.
        signal.signal(request, lambda _signal, _frame: None)
    config = json.loads(config_json)
    try:
        with _lock_data_dir(Path(config["data_dir"]), config["owner"]), _run_servers(config) as servers:
            urls = {server.name: server.url() for server in servers}
            _report({"database_url": urls.get("postgres", ""), "redis_url": urls.get("valkey", "")})
            _supervise(servers)
    except EmbeddedError as error:
        _report({"error": type(error).__name__, "message": str(error)})
        return 1
    return 0


def _report(message: dict[str, str]) -> None:
    with suppress(BrokenPipeError):
        os.write(sys.stdout.fileno(), f"{json.dumps(message)}\n".encode())


def _supervise(servers: list[Server]) -> None:
    """Wait for the end of stdin; restart a server that dies meanwhile on its port."""
    while not select.select([sys.stdin], [], [], WATCH_INTERVAL)[0]:
        for server in servers:
            server.restart_if_exited()


@contextmanager
def _run_servers(config: dict[str, str]) -> Iterator[list[Server]]:
    data_dir, fast = Path(config["data_dir"]), bool(config["fast"])
    kinds = {kind: Path(config[kind.name]) for kind in (Postgres, Valkey) if config[kind.name]}
    account = choose_os_account(data_dir, list(kinds.values()))
    servers: list[Server] = [kind(program, data_dir, account, fast=fast) for kind, program in kinds.items()]
    try:
        try:
            for server in servers:
                server.start()
        except (OSError, subprocess.SubprocessError) as error:
            raise EmbeddedError(
                f"The embedded servers could not be started as uid {account.uid} in {data_dir}: {error} "
                "Run as an ordinary user, in a directory that all users may enter."
            ) from error
        yield servers
    finally:
        for server in servers:
            server.stop()


@contextmanager
def _lock_data_dir(data_dir: Path, owner: int) -> Iterator[None]:
    """Lock the data directory for the process `owner`; raises DataDirectoryInUseError if a live process has it.

    The kernel releases the lock when its holder dies, so it is never stale. If only the owner is dead, its guard is
    still stopping the servers; then wait for it, up to `LOCK_TIMEOUT`.
    """
    try:
        lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError as error:
        raise EmbeddedError(f"{data_dir} belongs to another account. Use another data directory.") from error
    try:
        _acquire_lock(lock, data_dir)
        os.ftruncate(lock, 0)
        os.pwrite(lock, str(owner).encode(), 0)
        yield
    finally:
        os.close(lock)


def _acquire_lock(lock: int, data_dir: Path) -> None:
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        with suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        holder = os.pread(lock, 20, 0).decode()
        if (holder and _is_alive(int(holder))) or time.monotonic() > deadline:
            raise DataDirectoryInUseError(
                f"The data directory {data_dir} is in use by process {holder}. "
                "Stop that one first, or choose another directory with --data-dir or USER_TAGS_DATA_DIR."
            )
        time.sleep(POLL_INTERVAL)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
