"""Run processes that own embedded servers, and ask whether anything of theirs is left."""

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from service.dev.stack.servers import environment_with_package_path, start_embedded

OWNER = """
import json, signal, sys
from pathlib import Path
from service.dev.stack.servers import start_embedded
if "ignore-interrupts" in sys.argv:
    signal.signal(signal.SIGINT, lambda *_: print("interrupted", flush=True))
servers = start_embedded(Path(sys.argv[1]), fast=True)
print(json.dumps([servers.pid, servers.database_url, servers.redis_url]), flush=True)
while True:
    signal.pause()
"""

_made: list[str] = []


@dataclass(frozen=True)
class Owner:
    """Hold a process that started embedded servers, and everything that runs for it."""

    process: subprocess.Popen[str]
    database_url: str
    redis_url: str
    guard: psutil.Process
    processes: frozenset[psutil.Process]

    def read_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()


def copy_initialised_data(target: Path) -> Path:
    """Fill `target` with the data of servers that ran and stopped, which saves the second that making it takes."""
    if not _made:
        directory = tempfile.mkdtemp(prefix="user-tags-", dir=tempfile.gettempdir())
        atexit.register(shutil.rmtree, directory)
        start_embedded(Path(directory), fast=True).stop()
        _made.append(directory)
    target.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", f"{_made[0]}/.", str(target)], check=True)
    target.chmod(0o711)
    return target


@contextmanager
def owner(
    data_dir: Path, *options: str, preexec_fn: Callable[[], None] | None = None, home: Path | None = None
) -> Iterator[Owner]:
    """Run a process that starts embedded servers and then waits; it is killed in the end."""
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data_dir), *options],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=preexec_fn,  # noqa: PLW1509 - no test here has a second thread
        cwd="/",
        env=environment_with_package_path() | ({"HOME": str(home)} if home else {}),
    ) as process:
        try:
            assert process.stdout is not None
            pid, database_url, redis_url = json.loads(process.stdout.readline())
            guard = psutil.Process(pid)
            yield Owner(process, database_url, redis_url, guard, process_tree(guard))
        finally:
            process.kill()


def process_tree(process: psutil.Process) -> frozenset[psutil.Process]:
    return frozenset([process, *process.children(recursive=True)])


def all_exited(processes: Iterable[psutil.Process]) -> bool:
    return not any(_is_alive(process) for process in processes)


def _is_alive(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False
