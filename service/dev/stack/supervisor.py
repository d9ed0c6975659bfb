"""Run `user-tags up`: embedded servers, migrations, web processes and worker in one terminal."""

import http.client
import os
import select
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Self, TypeAlias

from service.dev.stack.children import Child, ChildProcess, OrphanReaper, RestartPolicy, orphan_reaper, refusal_in
from service.dev.stack.servers import (
    EmbeddedError,
    EmbeddedServers,
    embedded_secrets,
    environment_with_package_path,
    start_embedded,
    tail_log,
)
from service.foundation.settings import Settings

POLL_INTERVAL: Final = 0.1
READINESS_TIMEOUT: Final = 2.0
TERMINAL_SUMMARY_INTERVAL: Final = 2.0
LOG_SUMMARY_INTERVAL: Final = 30.0
DEFAULT_RESTART_POLICY: Final = RestartPolicy()

WaitForStop: TypeAlias = Callable[[float], bool]
"""Waits that many seconds for a signal to stop; True at once, and on every later call, when there was one."""


@dataclass(frozen=True)
class ProcessPlan:
    """List what to run: the migration to its end, then the children in this order, stopped in the reverse."""

    migration: tuple[str, ...]
    children: tuple[Child, ...]


def default_process_plan(host: str, port: int, web_processes: int, *, demo: bool) -> ProcessPlan:
    """Return the plan of the service: migration, worker and web processes, with `demo` also the simulated traffic."""
    ours = (sys.executable, "-m", "service")
    serve = (*ours, "serve", "--host", host, "--port", str(port), "--workers", str(web_processes))
    children = (Child("worker", (*ours, "worker")), Child("web", serve))
    traffic = Child("demo", (sys.executable, "-m", "service.dev.demo"), after_ready=True)
    return ProcessPlan((*ours, "migrate"), (*children, traffic) if demo else children)


def up(
    settings: Settings,
    *,
    port: int,
    web_processes: int,
    demo: bool,
    host: str = "127.0.0.1",
    extra_environment: Mapping[str, str] = MappingProxyType({}),
    on_ready: Callable[[Mapping[str, str]], None] | None = None,
    summary_line: Callable[[], str] | None = None,
    plan: ProcessPlan | None = None,
    restart_policy: RestartPolicy = DEFAULT_RESTART_POLICY,
) -> int:
    """Run everything; returns 0 after SIGINT or SIGTERM, 1 (and prints why) if something cannot start.

    Servers whose URL `settings` leave out run embedded. `extra_environment` is added to the environment of the
    children, which `on_ready` gets once `/readyz` answers. From then on `summary_line`, which must not raise, is called
    every two seconds and its text shown in one line that is overwritten; without a terminal it is printed every 30
    seconds. Nothing started here outlives this process, however it ends.
    """
    plan = plan or default_process_plan(host, port, web_processes, demo=demo)
    reachable_host = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - no binding
    taken = port_error(host, port)
    if taken:
        _print_message(taken)
        return 1
    try:
        with _stop_signals() as wait_for_stop, _start_missing_servers(settings) as servers, orphan_reaper() as reaper:
            environment = {**child_environment(settings, servers, reachable_host, port), **extra_environment}
            logs = Path(environment["USER_TAGS_DATA_DIR"]) / "logs"
            with ProcessGroup(plan, environment, logs, restart_policy, reaper) as group:
                if not group.migrate(wait_for_stop) or not group.start_until_ready(wait_for_stop, reachable_host, port):
                    return 0 if wait_for_stop(0) else 1
                if on_ready is not None:
                    on_ready(environment)
                return _supervise(group, servers, wait_for_stop, summary_line)
    except EmbeddedError as error:
        _print_message(str(error))
        return 1


def child_environment(settings: Settings, servers: EmbeddedServers | None, host: str, port: int) -> dict[str, str]:
    """Return the environment of this process, with the addresses and secrets that `settings` leave out filled in."""
    data_dir = Path(settings.data_dir).expanduser().resolve()
    service_url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    chosen = settings.public_url != Settings().public_url or "USER_TAGS_PUBLIC_URL" in os.environ
    filled = {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        **(servers.environment() if servers is not None else {}),
        "USER_TAGS_DATA_DIR": str(data_dir),
        "USER_TAGS_PUBLIC_URL": settings.public_url if chosen else service_url,
        "USER_TAGS_DEMO_SERVICE_URL": service_url,
        "USER_TAGS_JWT_SECRET": settings.jwt_secret,
        "USER_TAGS_SECRETS_KEY": ",".join(settings.secrets_keys),
    }
    if not (settings.jwt_secret or settings.jwt_public_key or settings.jwt_jwks_url):
        filled["USER_TAGS_JWT_SECRET"] = embedded_secrets(data_dir).jwt_secret
    if not settings.secrets_keys:
        filled["USER_TAGS_SECRETS_KEY"] = embedded_secrets(data_dir).secrets_key
    return environment_with_package_path() | {name: value for name, value in filled.items() if value}


class ProcessGroup:
    """Run the migration and the children; a context manager that stops them on leaving, the last one first."""

    def __init__(
        self,
        plan: ProcessPlan,
        environment: Mapping[str, str],
        logs: Path,
        restart_policy: RestartPolicy,
        reaper: OrphanReaper,
    ) -> None:
        def process(child: Child) -> ChildProcess:
            return ChildProcess(child, environment, logs / f"{child.name}.log", restart_policy, reaper)

        self._restart_policy = restart_policy
        self._logs = logs
        self._migration = process(Child("migrate", plan.migration))
        self._children = [process(child) for child in plan.children]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in (*reversed(self._children), self._migration):
            process.stop()

    def migrate(self, wait_for_stop: WaitForStop) -> bool:
        """Run the migration to its end; returns False if it failed, which is printed, or if a signal said to stop."""
        self._migration.start()
        while self._migration.status() is None:
            if wait_for_stop(POLL_INTERVAL / 2):
                return False
        if self._migration.status() != 0:
            self._report_failure("migrate", "The migration failed")
        return self._migration.status() == 0

    def start_until_ready(self, wait_for_stop: WaitForStop, host: str, port: int) -> bool:
        """Start the children, those marked `after_ready` once the service answers; returns False as `migrate` does."""
        self._start(late=False)
        deadline = time.monotonic() + self._restart_policy.ready_timeout
        while not _is_ready(host, port):
            if wait_for_stop(POLL_INTERVAL):
                return False
            if time.monotonic() > deadline:
                self._report_failure(
                    "web", f"The service was not ready within {self._restart_policy.ready_timeout:g} s"
                )
                return False
            refusals = [reason for process in self._children if (reason := process.refusal())]
            if refusals:
                _print_message(refusals[0])
                return False
            self.restart_if_exited()
        self._start(late=True)
        return True

    def restart_if_exited(self) -> None:
        """Restart the children that have exited, each after its pause."""
        for process in self._children:
            message = process.restart_if_exited()
            if message:
                _print_message(message)

    def _start(self, *, late: bool) -> None:
        for process in self._children:
            if process.child.after_ready == late:
                process.start()

    def _report_failure(self, name: str, failure: str) -> None:
        log = self._logs / f"{name}.log"
        refusal = refusal_in(log)
        _print_message(refusal or f"{failure}. {log} ends with:\n{tail_log(log)}")


def _supervise(
    group: ProcessGroup,
    servers: EmbeddedServers | None,
    wait_for_stop: WaitForStop,
    summary_line: Callable[[], str] | None,
) -> int:
    on_terminal = sys.stdout.isatty()
    due = 0.0
    while True:
        group.restart_if_exited()
        if servers is not None and not servers.is_guard_alive():
            _print_message("The guard of the embedded PostgreSQL and Valkey has died, and they stopped with it.")
            return 1
        if summary_line is not None and time.monotonic() >= due:
            _print_summary(summary_line(), on_terminal=on_terminal)
            due = time.monotonic() + (TERMINAL_SUMMARY_INTERVAL if on_terminal else LOG_SUMMARY_INTERVAL)
        if wait_for_stop(POLL_INTERVAL):
            _print_message("Stopping …")
            return 0


def _print_summary(line: str, *, on_terminal: bool) -> None:
    width = shutil.get_terminal_size().columns - 1
    sys.stdout.write(f"\r\x1b[2K{line[:width]}" if on_terminal else f"{line}\n")
    sys.stdout.flush()


def _print_message(text: str) -> None:
    """Print a message on a line of its own, in place of the summary line."""
    sys.stdout.flush()
    sys.stderr.write(f"\r\x1b[2K{text}\n" if sys.stderr.isatty() else f"{text}\n")
    sys.stderr.flush()


def _start_missing_servers(settings: Settings) -> AbstractContextManager[EmbeddedServers | None]:
    postgres, valkey = settings.database_url is None, settings.redis_url is None
    if not postgres and not valkey:
        return nullcontext()
    return start_embedded(Path(settings.data_dir), postgres=postgres, valkey=valkey)


@contextmanager
def _stop_signals() -> Iterator[WaitForStop]:
    """Yield a function that waits for SIGINT, SIGTERM or SIGHUP; by a pipe, since a handler may not take a lock."""
    read_end, write_end = os.pipe()
    stop_signals = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as it is under nohup
        stop_signals.append(signal.SIGHUP)
    before = [
        signal.signal(stop_signal, lambda _number, _frame: os.write(write_end, b"!")) for stop_signal in stop_signals
    ]
    try:
        yield lambda seconds: bool(select.select([read_end], [], [], seconds)[0])
    finally:
        for stop_signal, handler in zip(stop_signals, before, strict=True):
            signal.signal(stop_signal, handler)
        os.close(write_end)
        os.close(read_end)


def port_error(host: str, port: int) -> str | None:
    """Return why nothing can listen there, None where something can."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return f"Port {port} on {host} cannot be used: {error.strerror}. Choose another with --port."
    return None


def _is_ready(host: str, port: int) -> bool:
    connection = http.client.HTTPConnection(host, port, timeout=READINESS_TIMEOUT)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
