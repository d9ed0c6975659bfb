"""Hold what every use case needs of the process it runs in."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, Protocol

from service.entities.blocks import ChangeNotification
from service.entities.jobs import JobChangeNotification
from service.entities.tasks import TaskName
from service.foundation.clock import Clock
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings
from service.foundation.shielding import ShieldedWork
from service.storage.database.pool import Pool
from service.wechat.api.transport import WechatTransport

# Of the ten connections that a pool has by default: the others are for what takes milliseconds.
MAX_LONG_READS: Final = 3


class Publisher(Protocol):
    """Pass change notifications on to all web processes."""

    def publish(self, notifications: Iterable[ChangeNotification | JobChangeNotification]) -> None:
        """Send notifications without blocking; some may be lost, which the feed makes up for."""


class TaskQueue(Protocol):
    """Hand tasks to the workers."""

    def enqueue(self, name: TaskName, *args: int, task_id: str) -> None:
        """Queue a task without blocking, unless one with its id is queued; sweeps find again what is lost."""


@dataclass(slots=True)
class ActingInstallation:
    """Hold the public URL of the installation that calls WeChat by this database, as this process read it last."""

    public_url: str | None = None
    read_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Runtime:
    """Hold the database pool, clock, publisher, queue, encryption, settings and way to WeChat of a process.

    `shielded` is the work that goes on when its task is cancelled. What reads for seconds takes one of `long_reads`
    before it takes a connection, so that however often it is asked for, connections are left for everything else.
    """

    pool: Pool
    clock: Clock
    publisher: Publisher
    queue: TaskQueue
    secret_box: SecretBox
    settings: Settings
    wechat: WechatTransport
    acting: ActingInstallation = field(default_factory=ActingInstallation)
    shielded: ShieldedWork = field(default_factory=ShieldedWork)
    long_reads: asyncio.Semaphore = field(default_factory=partial(asyncio.Semaphore, MAX_LONG_READS))
