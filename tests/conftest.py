"""Give every test real servers, a database of its own and a clock, and fail the test that leaves something running."""

import asyncio
import itertools
import logging
import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
import redis.asyncio as redis
from hypothesis import HealthCheck, settings

from service.dev.stack.servers import EmbeddedServers, start_embedded
from tests.support.builtin_types import remember_builtin_types
from tests.support.clock import FrozenClock
from tests.support.servers import enterable_directory, is_shared, shared_processes

TEMPLATE = "user_tags_template"
# Seconds: a loaded machine takes its time to end what is ending.
GRACE_PERIOD = 10.0
LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "httpx", "httpcore")

_logical_databases = itertools.cycle(range(1, 16))

remember_builtin_types()
# How long an example takes says how loaded the machine is.
settings.register_profile("unhurried", settings.default, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")


# Their tests take longest and mostly wait for processes: begun first, they run beside what computes, and none is left
# over at the end.
RUN_FIRST = ("tests/faults/", "tests/packaging/", "tests/worker/", "tests/cli/")


def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are processors, since many tests wait; each has servers of its own."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the folders that take longest first, and all else in its order."""
    items.sort(key=lambda item: not item.nodeid.startswith(RUN_FIRST))


# A shell without job control starts what it puts into the background deaf to Ctrl-C, and children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def accessible_dir() -> Iterator[Path]:
    """Make an empty directory that every account may enter."""
    with enterable_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def servers() -> Iterator[EmbeddedServers]:
    """Run a PostgreSQL and a Valkey for the whole run."""
    with enterable_directory() as directory, start_embedded(directory, fast=True) as running:
        shared_processes.add(running.pid)
        yield running


@pytest.fixture(scope="session")
async def database_admin(servers: EmbeddedServers) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Stay connected to the server for the whole run, to make and drop databases."""
    connection = await asyncpg.connect(servers.database_url)
    yield connection
    await connection.close()


@pytest.fixture(scope="session")
async def migrated_template(servers: EmbeddedServers, database_admin: "asyncpg.Connection[asyncpg.Record]") -> str:
    """Name a migrated database, to be copied for every test that needs one."""
    from service.storage.database.migrations import migrate

    await database_admin.execute(f"CREATE DATABASE {TEMPLATE}")
    await migrate(_url_of(servers, TEMPLATE))
    return TEMPLATE


@pytest.fixture
async def database_url(
    servers: EmbeddedServers, database_admin: "asyncpg.Connection[asyncpg.Record]", migrated_template: str
) -> AsyncIterator[str]:
    """Make a migrated database for this test alone, and give its URL."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    await database_admin.execute(f"CREATE DATABASE {name} TEMPLATE {migrated_template} STRATEGY FILE_COPY")
    yield _url_of(servers, name)
    await database_admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def redis_url(servers: EmbeddedServers) -> str:
    """Empty a logical Valkey database for this test alone, and give its URL."""
    url = urlsplit(servers.redis_url)._replace(path=f"/{next(_logical_databases)}").geturl()
    async with redis.Redis.from_url(url) as valkey:
        await valkey.flushdb()
    return url


@pytest.fixture
def clock() -> FrozenClock:
    """Set a clock to 2026-03-01T12:00:00Z, to move when the test says so."""
    return FrozenClock()


@pytest.fixture
def stopped_quotas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no quota fill up again in web processes of this test, however long a loaded machine takes to use it up."""
    from service.auth.quotas import TokenBuckets

    made_as_ever = TokenBuckets.__init__

    def without_time(self: TokenBuckets, per_second: float, capacity: float, _clock: Callable[[], float]) -> None:
        made_as_ever(self, per_second, capacity, lambda: 0.0)

    monkeypatch.setattr(TokenBuckets, "__init__", without_time)


@pytest.fixture
def log_lines(capsys: pytest.CaptureFixture[str]) -> Iterator[Callable[[], list[str]]]:
    """Give what was logged since the last call; afterwards logging is as it was before."""
    root = logging.getLogger()
    level = root.level
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(logger, logger.handlers[:], logger.propagate, logger.level) for logger in loggers]
    yield lambda: capsys.readouterr().err.splitlines()  # noqa: PLW0108 - read when called
    root.handlers[:] = [each for each in root.handlers if type(each).__module__ != "service.foundation.logging"]
    root.setLevel(level)
    for logger, kept, propagate, logger_level in before:
        logger.handlers[:], logger.propagate = kept, propagate
        logger.setLevel(logger_level)


@pytest.fixture(autouse=True)
async def leak_check() -> AsyncIterator[None]:
    """Fail the test that leaves a task or a child process running."""
    tasks_before = asyncio.all_tasks()
    processes_before = _processes()
    yield
    deadline = asyncio.get_running_loop().time() + GRACE_PERIOD
    while (tasks := _ours(tasks_before)) and asyncio.get_running_loop().time() < deadline:
        await asyncio.wait(tasks, timeout=0.1)
    left = [f"task {task.get_name()}: {task.get_coro()}" for task in tasks]
    for pid in _processes() - processes_before:
        left.append(f"process {pid}: {_command(pid)}")
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if left:
        pytest.fail("This test left running: " + "; ".join(left))


def _ours(before: set[asyncio.Task[Any]]) -> set[asyncio.Task[Any]]:
    """Return the tasks that run since then, without those of what serves many tests."""
    since = asyncio.all_tasks() - before - {asyncio.current_task()}
    return {task for task in since if not is_shared(task)}


def _processes() -> set[int]:
    """Return our children and theirs, without the servers that serve the whole run."""
    found: set[int] = set()
    to_visit = _children(os.getpid())
    while to_visit:
        pid = to_visit.pop()
        if pid not in shared_processes:
            found.add(pid)
            to_visit += _children(pid)
    return found


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task")
    try:
        return [int(child) for task in tasks.iterdir() for child in (task / "children").read_text().split()]
    except OSError:  # another kernel, or the process has ended
        return _children_by_psutil(pid)


def _children_by_psutil(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def _command(pid: int) -> str:
    try:
        process = psutil.Process(pid)
        return " ".join(process.cmdline()) or process.status()
    except psutil.Error:
        return "gone by now"


def _url_of(servers: EmbeddedServers, database: str) -> str:
    return urlsplit(servers.database_url)._replace(path=f"/{database}").geturl()
