"""What every use case needs of the process it runs in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from service.entities.blocks import ChangeNotification
from service.entities.jobs import JobChangeNotification
from service.entities.tasks import TaskName
from service.foundation.clock import Clock
from service.foundation.encryption import SecretBox
from service.foundation.settings import Settings
from service.storage.database.pool import Pool


class Publisher(Protocol):
    """Passes wake-ups on; it never blocks and may lose some, which the feed heals."""

    def publish(self, notifications: Iterable[ChangeNotification | JobChangeNotification]) -> None: ...


class TaskQueue(Protocol):
    """Hands tasks to the workers; it never blocks and may lose some, which a sweep finds again."""

    def enqueue(self, name: TaskName, *args: Any, task_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Runtime:
    pool: Pool
    clock: Clock
    publisher: Publisher
    queue: TaskQueue
    secret_box: SecretBox
    settings: Settings
