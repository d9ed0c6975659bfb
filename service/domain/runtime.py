"""What every use case needs of the process it runs in."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from service.clock import Clock
from service.entities.blocks import WakeUp
from service.sealing import Sealer
from service.settings import Settings
from service.storage.database import Pool


class Publisher(Protocol):
    """Passes wake-ups on; it never blocks and may lose some, which the feed heals."""

    def publish(self, wake_ups: Iterable[WakeUp]) -> None: ...


@dataclass(frozen=True, slots=True)
class Runtime:
    pool: Pool
    clock: Clock
    publisher: Publisher
    sealer: Sealer
    settings: Settings
