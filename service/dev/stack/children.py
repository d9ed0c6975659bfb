"""Keep child processes alive: restart them after growing pauses, stop them in order, and leave no orphans."""

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

from service.dev.stack.servers import environment_with_package_path, open_log, tail_log

TERMINATION_GRACE_PERIOD: Final = 10.0
POLL_INTERVAL: Final = 0.05

OrphanReaper: TypeAlias = Callable[[str], None]
"""Takes `+pid` for a process group that must end when this process ends, and `-pid` for one that has ended."""


@dataclass(frozen=True)
class Child:
    """Describe a process to keep alive; its output goes to `<data_dir>/logs/<name>.log`."""

    name: str
    argv: tuple[str, ...]
    after_ready: bool = False
    """Whether to start it only when the service answers."""


@dataclass(frozen=True)
class RestartPolicy:
    """Hold durations in seconds. The pause before a restart doubles until a child has lived for `reset_after`."""

    initial_backoff: float = 0.5
    max_backoff: float = 30.0
    reset_after: float = 30.0
    ready_timeout: float = 60.0
    stop_timeout: float = 10.0


class ChildProcess:
    """Run one child and its restarts; each process leads a process group of its own."""

    def __init__(
        self,
        child: Child,
        environment: Mapping[str, str],
        log_path: Path,
        restart_policy: RestartPolicy,
        reaper: OrphanReaper,
    ) -> None:
        self.child = child
        self.log_path = log_path
        self._environment = environment
        self._restart_policy = restart_policy
        self._reaper = reaper
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0
        self._failures = 0
        self._restart_at: float | None = None

    def start(self) -> None:
        """Start the process with an empty log."""
        self._launch(fresh_log=True)

    def status(self) -> int | None:
        """Return the exit status, or None if the process runs or was never started."""
        if self._process is None:
            return None
        running = self._process.returncode is None
        status = self._process.poll()
        if running and status is not None:
            self._reap(self._process.pid)
        return status

    def restart_if_exited(self) -> str | None:
        """Start the child again once the pause after its exit is over; returns a message when it has just exited."""
        now = time.monotonic()
        if self._restart_at is not None:
            if now >= self._restart_at:
                self._launch(fresh_log=False)
            return None
        status = self.status()
        if status is None:
            return None
        if now - self._started >= self._restart_policy.reset_after:
            self._failures = 0
        backoff = min(self._restart_policy.initial_backoff * 2**self._failures, self._restart_policy.max_backoff)
        self._failures += 1
        self._restart_at = now + backoff
        return f"{self.child.name} ended ({status}) and starts again in {backoff:g} s; see {self.log_path}"

    def refusal(self) -> str | None:
        """Return the line with which the program refused to run, which a restart would not change; None otherwise."""
        return refusal_in(self.log_path) if self.status() else None

    def stop(self) -> None:
        """Send SIGTERM to the child; after `stop_timeout`, or when it has ended, SIGKILL to its process group."""
        if self._process is None or self.status() is not None:
            return
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(self._restart_policy.stop_timeout)
        self._reap(self._process.pid)
        self._process.wait()

    def _launch(self, *, fresh_log: bool) -> None:
        with open_log(self.log_path, rotate=fresh_log) as log:
            self._process = subprocess.Popen(
                self.child.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
                # Ctrl-C in the terminal must reach the supervisor only, which stops the children in order.
                start_new_session=True,
            )
        self._reaper(f"+{self._process.pid}")
        self._started, self._restart_at = time.monotonic(), None

    def _reap(self, pid: int) -> None:
        _kill_group(pid)
        self._reaper(f"-{pid}")


def refusal_in(log: Path) -> str | None:
    """Return the last line of a log where it is one of those with which `user-tags` ends instead of a traceback."""
    last = tail_log(log, lines=1)
    return last if last.startswith("user-tags: ") else None


@contextmanager
def orphan_reaper() -> Iterator[OrphanReaper]:
    """Run a process that ends the children if this process is killed, which it notices by the end of a pipe."""
    reaper = subprocess.Popen(
        [sys.executable, "-m", "service.dev.stack.children"],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment_with_package_path(),
        start_new_session=True,
        bufsize=0,
    )
    assert reaper.stdin is not None  # noqa: S101 - it was opened with a pipe
    with reaper, reaper.stdin as pipe:

        def send(message: str) -> None:
            with suppress(BrokenPipeError):
                pipe.write(f"{message}\n".encode())

        yield send


def _run_orphan_reaper() -> None:
    for request in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(request, signal.SIG_IGN)
    tracked_pids: set[int] = set()
    for line in sys.stdin:
        (tracked_pids.add if line[0] == "+" else tracked_pids.discard)(int(line[1:]))
    for pid in tracked_pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + TERMINATION_GRACE_PERIOD
    while tracked_pids:
        for pid in list(tracked_pids):
            if time.monotonic() > deadline or not _is_alive(pid):
                _kill_group(pid)
                tracked_pids.discard(pid)
        time.sleep(POLL_INTERVAL)


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
    _run_orphan_reaper()
