"""Let processes race: each pauses before the statement a test names, and may run it without its remedy."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, nullcontext
from typing import Any, Protocol, TypeVar

import asyncpg

from service.domain.runtime import Runtime
from service.foundation.clock import Clock
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings
from service.storage.database.pool import BareConnection, SessionlessConnection
from service.storage.database.statements import STATEMENTS
from service.wechat.api.transport import WechatTransport
from tests.support.runtime import SECRETS_KEY, RecordingPublisher, RecordingQueue
from tests.support.waiting import PATIENCE, wait_until

Answer = TypeVar("Answer")
BLOCKED_BACKENDS = """
select count(*) from pg_stat_activity
where datname = current_database() and application_name = $1 and wait_event_type = 'Lock'
"""
TERMINATE_BACKENDS = """
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and application_name = $1
"""


class Breakpoint:
    """Make the first connection that comes by wait."""

    def __init__(self) -> None:
        self._reached = asyncio.Event()
        self._let_go = asyncio.Event()

    async def wait_for_release(self) -> None:
        """Wait here, as the connection does."""
        self._reached.set()
        await self._let_go.wait()

    async def wait_reached(self) -> None:
        """Wait until a connection waits here, inside of whatever transaction it is in."""
        async with asyncio.timeout(PATIENCE):
            await self._reached.wait()

    def release(self) -> None:
        """Let the connection go on."""
        self._let_go.set()


class RacingProcess:
    """Run the service as one racing process; `weakened` gives other texts to named statements."""

    def __init__(self, name: str, weakened: Mapping[str, str], watcher: BareConnection) -> None:
        self.runtime: Runtime
        self._name = name
        self._texts = {STATEMENTS[statement]: text for statement, text in weakened.items()}
        self._stops: dict[str, Breakpoint] = {}
        self._tasks: list[asyncio.Task[Any]] = []
        self._watcher = watcher

    def pause_before(self, statement: str) -> Breakpoint:
        """Pause the next connection that is about to execute a statement, or `COMMIT;`, and only that one."""
        stop = self._stops[STATEMENTS.get(statement, statement)] = Breakpoint()
        return stop

    def start(self, work: Coroutine[Any, Any, Answer]) -> asyncio.Task[Answer]:
        """Begin something that goes on while the test does other things; it ends with the process at the latest."""
        task = asyncio.create_task(work, name=self._name)
        self._tasks.append(task)
        return task

    async def blocked(self, task: asyncio.Task[Any]) -> bool:
        """Return True as soon as the task waits for a lock in PostgreSQL, False when it has ended well without one."""

        async def state() -> str:
            if await self._watcher.fetchval(BLOCKED_BACKENDS, self._name):
                return "blocked"
            return "done" if task.done() else ""

        waits = await wait_until(state) == "blocked"
        if not waits:
            task.result()
        return waits

    async def kill(self) -> None:
        """End every connection of this process, as a crashed host or an administrator does."""
        await self._watcher.execute(TERMINATE_BACKENDS, self._name)

    async def statement_text(self, query: str) -> str:
        """Pause where the test asked for it, and return the text to execute in place of a statement."""
        stop = self._stops.pop(query, None)
        if stop is not None:
            await stop.wait_for_release()
        return self._texts.get(query, query)

    async def end(self) -> None:
        """Cancel what is still going on."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class StartRacingProcess(Protocol):
    """Start a racing process, as the fixture `start_process` does."""

    async def __call__(
        self,
        name: str,
        *,
        clock: Clock | None = None,
        settings: Settings | None = None,
        weakened: Mapping[str, str] | None = None,
        transactions: bool = True,
    ) -> RacingProcess:
        """Start one by name."""
        ...


@asynccontextmanager
async def start_racing_process(
    database_url: str, name: str, *, clock: Clock, settings: Settings, weakened: Mapping[str, str], transactions: bool
) -> AsyncIterator[RacingProcess]:
    """Start a racing process; without `transactions` every statement commits by itself."""
    watcher = await asyncpg.connect(database_url)
    process = RacingProcess(name, weakened, watcher)
    pool = await asyncpg.create_pool(
        database_url,
        min_size=1,
        max_size=6,
        connection_class=_connection_class(process, transactions=transactions),
        command_timeout=60,
        server_settings={"application_name": name, "timezone": "UTC"},
    )
    wechat = WechatTransport(settings)
    process.runtime = Runtime(
        pool, clock, RecordingPublisher(), RecordingQueue(), SecretBox((SECRETS_KEY,)), settings, wechat
    )
    try:
        yield process
    finally:
        await process.end()
        await wechat.aclose()
        await pool.close()
        await watcher.close()


def _connection_class(process: RacingProcess, *, transactions: bool) -> type[SessionlessConnection]:
    class BreakpointConnection(SessionlessConnection):
        async def execute(self, query: str, *args: Any, **options: Any) -> Any:
            return await super().execute(await process.statement_text(query), *args, **options)

        async def fetch(self, query: str, *args: Any, **options: Any) -> Any:
            return await super().fetch(await process.statement_text(query), *args, **options)

        async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:
            return await super().fetchrow(await process.statement_text(query), *args, **options)

        async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:
            return await super().fetchval(await process.statement_text(query), *args, **options)

        def transaction(self, **options: Any) -> Any:
            return super().transaction(**options) if transactions else nullcontext()

    return BreakpointConnection


def modified_statement(statement: str, *changes: tuple[str, str]) -> dict[str, str]:
    """Return a statement with other words, `{name: text}`. Raises AssertionError when it does not hold the old ones."""
    text = STATEMENTS[statement]
    for old, new in changes:
        assert old in text, f"{statement} has no {old!r}"
        text = text.replace(old, new)
    return {statement: text}


NO_BLOCK_LOCK = modified_statement("lock_heads", ("for update", ""))
