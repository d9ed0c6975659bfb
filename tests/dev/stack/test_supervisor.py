"""Start, restart and stop the children of `user-tags up`, and explain failures."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import psutil
import pytest

from service.dev.stack.children import Child, ChildProcess, RestartPolicy
from service.dev.stack.servers import environment_with_package_path
from tests.dev.stack.server_owners import all_exited, copy_initialised_data, process_tree
from tests.support.servers import free_port
from tests.support.waiting import wait_until


@dataclass(frozen=True)
class Supervised:
    """Hold a running supervisor, its web port, and the file in which its children note what happens."""

    process: subprocess.Popen[str]
    port: int
    events: Path

    def noted(self) -> list[str]:
        """Return what happened so far, without the pids."""
        return [" ".join(line.split()[:2]) for line in self.lines()]

    def lines(self) -> list[str]:
        return self.events.read_text(encoding="utf-8").splitlines() if self.events.exists() else []

    def has_noted(self, *events: str) -> bool:
        return set(events) <= set(self.noted())

    def pid_of(self, name: str) -> int:
        return next(int(line.split()[2]) for line in reversed(self.lines()) if line.startswith(f"{name} started"))

    def end(self) -> tuple[str, int]:
        """Wait for its end, and return its stderr and exit status."""
        _, err = self.process.communicate()
        return err, self.process.returncode


@contextmanager
def supervised(
    accessible_dir: Path,
    *,
    port: int | None = None,
    migration: str = "",
    embedded: bool = False,
    ready_timeout: float = 60,
    stop_timeout: float = 30,
    **behaviours: str,
) -> Iterator[Supervised]:
    port = port or free_port()
    children = {name: [behaviours.get(name, "")] for name in ("worker", "web", "demo")}
    if "web" not in behaviours:
        children["web"].append(str(port))
    order = {
        "data_dir": str(accessible_dir / "data"),
        "events": str(accessible_dir / "events"),
        "port": port,
        "migration": migration,
        "embedded": embedded,
        "ready_timeout": ready_timeout,
        "stop_timeout": stop_timeout,
        "children": children,
    }
    with subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name("run_up.py")), json.dumps(order)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment_with_package_path(),
        start_new_session=True,
    ) as process:
        try:
            yield Supervised(process, port, accessible_dir / "events")
        finally:
            process.kill()


@pytest.mark.parametrize("last_word", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP], ids=lambda s: s.name)
async def test_it_starts_in_order_and_stops_in_the_reverse(accessible_dir: Path, last_word: signal.Signals) -> None:
    with supervised(accessible_dir) as run:
        await wait_until(lambda: run.has_noted("worker started", "web started", "demo started"))
        assert run.process.stdout is not None
        assert run.process.stdout.readline() == "all is well\n"
        # As Ctrl-C in a terminal does: the signal goes to the whole foreground group.
        os.killpg(run.process.pid, last_word)
        err, status = run.end()
    assert (status, err) == (0, "Stopping …\n")
    events = run.noted()
    assert [event for event in events if event.endswith("stopped")] == [
        "demo stopped",
        "web stopped",
        "worker stopped",
    ]
    assert events.index("demo started") > events.index("web started")


async def test_children_that_die_are_started_again_after_growing_pauses(accessible_dir: Path) -> None:
    with supervised(accessible_dir, worker="fails") as run:
        assert run.process.stderr is not None
        news = [run.process.stderr.readline() for _ in range(4)]
        run.process.terminate()
        _, status = run.end()
    assert status == 0
    assert [line.split(";")[0] for line in news] == [
        f"worker ended (3) and starts again in {pause} s" for pause in ("0.05", "0.1", "0.2", "0.2")
    ]
    assert (accessible_dir / "data" / "logs" / "worker.log").read_text().count("worker has a reason") >= 4


async def test_a_killed_child_comes_back(accessible_dir: Path) -> None:
    with supervised(accessible_dir) as run:
        await wait_until(lambda: run.has_noted("demo started"))
        os.kill(run.pid_of("web"), signal.SIGKILL)
        await wait_until(lambda: run.noted().count("web started") == 2)
        run.process.terminate()
        assert run.end()[1] == 0


async def test_who_ignores_sigterm_is_killed_with_its_children(accessible_dir: Path) -> None:
    with supervised(accessible_dir, stop_timeout=0.5, demo="stubborn") as run:
        await wait_until(lambda: run.has_noted("demo started", "grandchild started"))
        left = [psutil.Process(run.pid_of(name)) for name in ("demo", "grandchild")]
        run.process.terminate()
        assert run.end()[1] == 0
        await wait_until(lambda: all_exited(left))
    assert "web stopped" in run.noted()


async def test_a_killed_supervisor_takes_everything_with_it(accessible_dir: Path) -> None:
    copy_initialised_data(accessible_dir / "data")
    with supervised(accessible_dir, embedded=True) as run:
        await wait_until(lambda: run.has_noted("demo started"))
        urls = json.loads(next(line for line in run.lines() if line.startswith("ready")).removeprefix("ready "))
        await (await asyncpg.connect(urls["DATABASE_URL"])).close()
        assert urls["USER_TAGS_PUBLIC_URL"] == f"http://127.0.0.1:{run.port}"
        family = process_tree(psutil.Process(run.process.pid))
        assert len(family) > 8
        run.process.kill()
        await wait_until(lambda: all_exited(family))
    assert set(run.noted()[-3:]) == {"demo stopped", "web stopped", "worker stopped"}, "they were asked politely"


async def test_it_stops_when_the_embedded_servers_are_gone_for_good(accessible_dir: Path) -> None:
    copy_initialised_data(accessible_dir / "data")
    with supervised(accessible_dir, embedded=True) as run:
        await wait_until(lambda: run.has_noted("demo started"))
        guard = next(
            child
            for child in psutil.Process(run.process.pid).children()
            if "service.dev.stack.guard" in child.cmdline()
        )
        guard.kill()
        err, status = run.end()
    assert status == 1
    assert "The guard of the embedded PostgreSQL and Valkey has died" in err


def test_a_taken_port_is_found_before_anything_starts(accessible_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with supervised(accessible_dir, port=port) as run:
            err, status = run.end()
    assert status == 1
    assert err.startswith(f"Port {port} on 127.0.0.1 cannot be used: Address already in use.")
    assert not (accessible_dir / "data").exists()


def test_a_failed_migration_is_explained(accessible_dir: Path) -> None:
    with supervised(accessible_dir, migration="raise SystemExit('no such column')") as run:
        err, status = run.end()
    assert status == 1
    assert "The migration failed" in err
    assert "no such column" in err
    assert run.noted() == []


def test_a_service_that_never_gets_ready_is_explained(accessible_dir: Path) -> None:
    with supervised(accessible_dir, web="fails", ready_timeout=1) as run:
        err, status = run.end()
    assert status == 1
    assert "The service was not ready within 1 s" in err
    assert err.rstrip().endswith("web has a reason")
    assert "demo started" not in run.noted()


async def test_a_child_that_lived_steadily_starts_again_after_the_first_pause(accessible_dir: Path) -> None:
    steady = RestartPolicy(initial_backoff=0.01, reset_after=0)
    fails = Child("fails", (sys.executable, "-c", "raise SystemExit(1)"))
    process = ChildProcess(
        fails, environment_with_package_path(), accessible_dir / "fails.log", steady, lambda _message: None
    )
    process.start()
    for _ in range(3):
        news = await wait_until(process.restart_if_exited)
        assert "starts again in 0.01 s" in news
    process.stop()
