"""Open the domain on a database of the test's own: a clock that stands still, a publisher and a queue that remember."""

import itertools
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from service.domain.channels.binding import ChannelDetails, Credentials, bind_channel
from service.domain.people.ordinals import find_or_create_users
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeNotification
from service.entities.channels import Channel, ChannelKind
from service.entities.jobs import JobChangeNotification
from service.entities.principal import Principal, Role
from service.entities.tasks import TaskName
from service.foundation.clock import Clock
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings
from service.storage.database.pool import Connection, open_pool
from service.storage.database.statements import STATEMENTS
from service.wechat.api.transport import WechatTransport

SECRETS_KEY = "a key for tests only, 32 bytes or more"
FAR_FUTURE = datetime(2100, 1, 1, tzinfo=UTC)
_app_ids = itertools.count(1)
NAMES_OF_STATEMENTS = {text: name for name, text in STATEMENTS.items()}


class RecordingPublisher:
    """Keep notifications instead of sending them."""

    def __init__(self) -> None:
        self.notifications: list[ChangeNotification | JobChangeNotification] = []

    def publish(self, notifications: Iterable[ChangeNotification | JobChangeNotification]) -> None:
        """Keep them."""
        self.notifications.extend(notifications)


class RecordingQueue:
    """Keep tasks instead of handing them to workers."""

    def __init__(self) -> None:
        self.tasks: list[tuple[TaskName, tuple[Any, ...], str]] = []

    def enqueue(self, name: TaskName, *args: Any, task_id: str) -> None:
        """Keep it."""
        self.tasks.append((name, args, task_id))


@asynccontextmanager
async def open_runtime(
    database_url: str, clock: Clock, *, settings: Settings | None = None, pool_size: int = 8
) -> AsyncIterator[Runtime]:
    """Build a runtime with connections of its own, as every process has them."""
    settings = settings or Settings()
    pool = await open_pool(database_url, size=pool_size)
    wechat = WechatTransport(settings)
    try:
        yield Runtime(pool, clock, RecordingPublisher(), RecordingQueue(), SecretBox((SECRETS_KEY,)), settings, wechat)
    finally:
        await wechat.aclose()
        await pool.close()


@asynccontextmanager
async def patient_transaction(runtime: Runtime) -> AsyncIterator[Connection]:
    """Begin a transaction, to hold up others by its locks, that the server does not end while it is idle."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        await conn.execute("set local idle_in_transaction_session_timeout = 0")
        yield conn


def published_notifications(runtime: Runtime) -> list[ChangeNotification]:
    """Return all changes that this runtime has published so far."""
    assert isinstance(runtime.publisher, RecordingPublisher)
    return [each for each in runtime.publisher.notifications if isinstance(each, ChangeNotification)]


def clear_notifications(runtime: Runtime) -> None:
    """Forget what was published so far."""
    assert isinstance(runtime.publisher, RecordingPublisher)
    runtime.publisher.notifications.clear()


def admin(robot_id: str = "robot-1") -> Principal:
    """Return the admin of a robot."""
    return Principal("tests", robot_id, Role.ADMIN, FAR_FUTURE)


def channel_details(
    app_id: str | None = None,
    *,
    kind: ChannelKind = ChannelKind.SERVICE_ACCOUNT,
    name: str = "A channel",
    verified: bool = True,
) -> ChannelDetails:
    """Describe an account; without `app_id` it is one that nobody has bound yet."""
    return ChannelDetails(kind, app_id or f"wx{next(_app_ids):016x}", name, verified, Credentials())


async def bind(
    runtime: Runtime,
    app_id: str | None = None,
    *,
    robot_id: str = "robot-1",
    kind: ChannelKind = ChannelKind.SERVICE_ACCOUNT,
    name: str = "A channel",
    verified: bool = True,
) -> Channel:
    """Bind a channel as the robot's admin would; by default a new, verified service account."""
    return await bind_channel(
        runtime, admin(robot_id), channel_details(app_id, kind=kind, name=name, verified=verified)
    )


async def ordinals_for(runtime: Runtime, channel: Channel, openids: Iterable[str]) -> dict[str, int]:
    """Return the ordinal of every openid, making people who are new."""
    ordinals, _ = await find_or_create_users(runtime, channel.channel_id, openids)
    return ordinals


@contextmanager
def counted_statements() -> Iterator[list[str]]:
    """List the statements that asyncpg sends while the block runs, by name, or as they are where they have none.

    What a process asks by the clock alone is left out.
    """
    sent: list[str] = []
    connection: Any = asyncpg.Connection
    execute, simple = connection._execute, connection.execute

    async def watched(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if query != STATEMENTS["acting_installation"]:
            sent.append(NAMES_OF_STATEMENTS.get(query, query))
        return await execute(self, query, *arguments, **options)

    async def watched_simple(self: Any, query: str, *arguments: Any, **options: Any) -> Any:
        if not arguments:
            sent.append(NAMES_OF_STATEMENTS.get(query, query))
        return await simple(self, query, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asyncpg.Connection, "_execute", watched)
        patch.setattr(asyncpg.Connection, "execute", watched_simple)
        yield sent
