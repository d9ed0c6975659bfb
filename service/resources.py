"""Open what a process works with (pool, Valkey, queue of tasks, WeChat) and hold what its requests share."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final

from service.auth.quotas import CpuBudget, OpenLimit, RateLimiter, RefusalLimiter
from service.domain.audit.refusals import RefusalLog
from service.domain.broadcasts.results.recording import ResultRecorder
from service.domain.change_feed.new_entries import NewEntries
from service.domain.channels.lookup import ChannelFinder
from service.domain.events.recorder import EventRecorder
from service.domain.feed.hub import Hub
from service.domain.hints.reader import HintReader
from service.domain.return_data.submission import ReturnRecorder
from service.domain.runtime import Runtime
from service.domain.tags.reader import UserReader
from service.entities.tasks import TaskName
from service.foundation.clock import make_clock
from service.foundation.deadlines import Deadlines
from service.foundation.encryption import SecretBox
from service.foundation.loop_share import LoopShare
from service.foundation.settings import Settings, SettingsError
from service.storage.database.pool import open_pool
from service.valkey.connection import Valkey, open_valkey
from service.valkey.notifications import ValkeyPublisher
from service.valkey.task_queue import ArqQueue
from service.wechat.api.transport import WechatTransport

# Seconds.
STATEMENT_TIMEOUT: Final = 60
VALKEY_TIMEOUT: Final = 2

LocalTasks = Mapping[TaskName, Callable[..., Awaitable[object]]]


@dataclass(frozen=True)
class Resources:
    """Hold the connections of a process as a `Runtime`, and one of each part that its requests share.

    A part is made when it is first asked for, so a worker has none that only resolvers need. The web process starts
    the hub and closes it.
    """

    runtime: Runtime
    valkey: Valkey

    @cached_property
    def event_recorder(self) -> EventRecorder:
        """Return the recorder that joins events of one channel into one transaction."""
        return EventRecorder(self.runtime)

    @cached_property
    def result_recorder(self) -> ResultRecorder:
        """Return the recorder that joins results of messages of one channel into one transaction."""
        return ResultRecorder(self.runtime)

    @cached_property
    def return_recorder(self) -> ReturnRecorder:
        """Return the recorder that joins data handed back to one channel into one transaction."""
        return ReturnRecorder(self.runtime)

    @cached_property
    def user_reader(self) -> UserReader:
        """Return the reader that joins look-ups of users into one statement."""
        return UserReader(self.runtime.pool)

    @cached_property
    def channels(self) -> ChannelFinder:
        """Return the finder that joins look-ups of channels into one statement."""
        return ChannelFinder(self.runtime.pool)

    @cached_property
    def hint_reader(self) -> HintReader:
        """Return the reader that compares the tags of one channel at a time."""
        return HintReader(self.runtime.pool)

    @cached_property
    def hub(self) -> Hub:
        """Return the hub that feeds subscriptions, not yet started."""
        return Hub(self.runtime.pool, self.valkey, resync_interval=self.runtime.settings.feed_heal_every)

    @cached_property
    def new_entries(self) -> NewEntries:
        """Return the watch for new entries of numbered feeds, for requests that wait."""
        return NewEntries(self.runtime.pool)

    @cached_property
    def rate_limiter(self) -> RateLimiter:
        """Return the limiter of operations per principal, with the limits of the settings."""
        limits = self.runtime.settings.client_limits
        return RateLimiter(limits.operations_per_second, burst=limits.operations_burst.total_seconds())

    @cached_property
    def cpu_budget(self) -> CpuBudget:
        """Return the budget of processor time per principal, with the limits of the settings."""
        limits = self.runtime.settings.client_limits
        return CpuBudget(limits.cpu_share, limits.cpu_burst.total_seconds())

    @cached_property
    def refusal_limiter(self) -> RefusalLimiter:
        """Return the limiter of requests without valid credentials per address, with the limits of the settings."""
        limits = self.runtime.settings.client_limits
        return RefusalLimiter(limits.refusals_per_second, limits.refusals_burst.total_seconds())

    @cached_property
    def refusals(self) -> RefusalLog:
        """Return the counts of refused acts, which the web process has written into the audit log."""
        return RefusalLog(self.runtime)

    @cached_property
    def deadlines(self) -> Deadlines:
        """Return the watch that ends the queries which take too long."""
        return Deadlines(self.runtime.settings.query_limits.within)

    @cached_property
    def loop_share(self) -> LoopShare:
        """Return the turns in which large answers are made."""
        return LoopShare()

    @cached_property
    def subscriptions(self) -> OpenLimit:
        """Return the count of open subscriptions per principal, with the limit of the settings."""
        return OpenLimit("subscriptions", self.runtime.settings.client_limits.subscriptions_per_principal)

    @cached_property
    def sockets(self) -> OpenLimit:
        """Return the count of open WebSockets per principal, with the limit of the settings."""
        return OpenLimit("WebSockets", self.runtime.settings.client_limits.sockets_per_principal)


@asynccontextmanager
async def open_resources(
    settings: Settings, *, statement_timeout: float = STATEMENT_TIMEOUT, local_tasks: LocalTasks | None = None
) -> AsyncIterator[Resources]:
    """Connect to PostgreSQL and Valkey, and close everything at the end.

    A statement that takes longer than `statement_timeout` seconds fails. `local_tasks` are begun in this process as
    soon as they are enqueued, and called with the `Runtime` before their arguments. Raises SettingsError where the
    addresses are not set, OSError where PostgreSQL does not answer; Valkey may be away.
    """
    if settings.database_url is None or settings.redis_url is None:
        raise SettingsError("DATABASE_URL and REDIS_URL must be set here; `user-tags up` starts both for you.")
    secret_box = SecretBox(settings.secrets_keys)
    pool = await open_pool(settings.database_url, size=settings.database_pool_size, answer_timeout=statement_timeout)
    valkey = open_valkey(settings.redis_url, answer_timeout=VALKEY_TIMEOUT)
    publisher = ValkeyPublisher(valkey)
    queue = ArqQueue(valkey)
    wechat = WechatTransport(settings)
    runtime = Runtime(pool, make_clock(settings.clock_offset_file), publisher, queue, secret_box, settings, wechat)
    for name, task in (local_tasks or {}).items():
        queue.run_locally(name, partial(task, runtime))
    try:
        yield Resources(runtime, valkey)
    finally:
        await queue.close()
        await publisher.close()
        await wechat.aclose()
        await valkey.aclose()
        await pool.close()


def resources_of(scope: Mapping[str, Any]) -> Resources:
    """Return what the process that serves this connection has opened, from the lifespan state in its ASGI scope."""
    resources: Resources = scope["state"]["resources"]
    return resources
