"""Processes kept alive: started again after growing pauses, stopped with patience, gone when we are gone."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from service.dev.stack.servers import environment_with_ourselves, open_log

LEASH_PATIENCE: Final = 10.0
GLANCE: Final = 0.05

Leash: TypeAlias = Callable[[str], None]
"""Takes `+pid` for a process group to end with us, and `-pid` for one that has ended already."""


@dataclass(frozen=True)
class Child:
    """A process to keep alive; its output goes to `<data_dir>/logs/<name>.log`."""

    name: str
    argv: tuple[str, ...]
    after_ready: bool = False
    """Whether it waits until the service answers."""


@dataclass(frozen=True)
class Pace:
    """Seconds. The pause before a restart doubles from first to longest, until a child lived steadily."""

    first_pause: float = 0.5
    longest_pause: float = 30.0
    steady_after: float = 30.0
    ready_within: float = 60.0
    stop_within: float = 10.0


class ChildProcess:
    """One child over all its lives, each the leader of a process group of its own."""

    def __init__(self, child: Child, environment: Mapping[str, str], log_path: Path, pace: Pace, leash: Leash) -> None:
        self.child = child
        self.log_path = log_path
        self._environment = environment
        self._pace = pace
        self._leash = leash
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failures = 0
        self._due: float | None = None

    def start(self) -> None:
        """Start with an empty log."""
        self._launch(fresh_log=True)

    def status(self) -> int | None:
        """Return the exit status, or None if it runs or never ran."""
        if self._process is None:
            return None
        running = self._process.returncode is None
        status = self._process.poll()
        if running and status is not None:
            self._bury(self._process.pid)
        return status

    def revive(self) -> str | None:
        """Start the child again once the pause after its death is over; returns news worth telling."""
        now = time.monotonic()
        if self._due is not None:
            if now >= self._due:
                self._launch(fresh_log=False)
            return None
        status = self.status()
        if status is None:
            return None
        if now - self._started >= self._pace.steady_after:
            self._failures = 0
        pause = min(self._pace.first_pause * 2**self._failures, self._pace.longest_pause)
        self._failures += 1
        self._due = now + pause
        return f"{self.child.name} ended ({status}) and starts again in {pause:g} s; see {self.log_path}"

    def stop(self) -> None:
        """Send SIGTERM to the child, and when patience ends SIGKILL to it and whatever it started."""
        if self._process is None or self.status() is not None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._pace.stop_within)
        self._bury(self._process.pid)
        self._process.wait()

    def _launch(self, *, fresh_log: bool) -> None:
        with open_log(self.log_path, keep_last=fresh_log) as log:
            self._process = subprocess.Popen(
                self.child.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                # Ctrl-C in the terminal reaches us alone; we then stop the children in order.
                start_new_session=True,
            )
        self._leash(f"+{self._process.pid}")
        self._started, self._due = time.monotonic(), None

    def _bury(self, pid: int) -> None:
        _kill_group(pid)
        self._leash(f"-{pid}")


@contextmanager
def child_leash() -> Iterator[Leash]:
    """Start the tiny process that ends our children should we be killed, which it learns from a pipe."""
    leash = subprocess.Popen(
        [sys.executable, "-m", "service.dev.stack.children"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment_with_ourselves(),
        start_new_session=True,
        bufsize=0,
    )
    assert leash.stdin is not None  # noqa: S101 - it was opened with a pipe
    with leash, leash.stdin as pipe:

        def tell(message: str) -> None:
            with suppress(BrokenPipeError):
                pipe.write(f"{message}\n".encode())

        yield tell


def _hold_leash() -> None:
    for request in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(request, signal.SIG_IGN)
    living: set[int] = set()
    for line in sys.stdin:
        (living.add if line[0] == "+" else living.discard)(int(line[1:]))
    for pid in living:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + LEASH_PATIENCE
    while living:
        for pid in list(living):
            if time.monotonic() > deadline or not _is_alive(pid):
                _kill_group(pid)
                living.discard(pid)
        time.sleep(GLANCE)


def _is_alive(pid: int) -> bool:
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


def _kill_group(pid: int) -> None:
    # macOS answers EPERM for a group of which only the dead are left.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


if __name__ == "__main__":
    _hold_leash()
