"""What every use case needs of the process it runs in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from service.entities.blocks import WakeUp
from service.entities.jobs import JobWakeUp
from service.foundation.clock import Clock
from service.foundation.encryption import Sealer
from service.foundation.settings import Settings
from service.storage.database.pool import Pool


class Publisher(Protocol):
    """Passes wake-ups on; it never blocks and may lose some, which the feed heals."""

    def publish(self, wake_ups: Iterable[WakeUp | JobWakeUp]) -> None: ...


class JobQueue(Protocol):
    """Hands tasks to the workers; it never blocks and may lose some, which a sweep finds again."""

    def enqueue(self, name: str, *args: Any, job_id: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Runtime:
    pool: Pool
    clock: Clock
    publisher: Publisher
    queue: JobQueue
    sealer: Sealer
    settings: Settings
