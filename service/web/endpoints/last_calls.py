"""Decide when the time of a call is worth a write."""

from collections.abc import Hashable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MIN_INTERVAL: Final = timedelta(minutes=1)
"""The time of a caller's last call is written once in this time, however many calls there are."""


class LastCalls(Generic[K]):
    """Remember, for this process, when the last call of each caller was recorded."""

    def __init__(self) -> None:
        self._recorded_at: dict[K, datetime] = {}

    def is_due(self, caller: K, now: datetime) -> bool:
        """Return whether this call is to be recorded, and take it as recorded. A clock set back makes it due."""
        recorded_at = self._recorded_at.get(caller)
        if recorded_at is not None and recorded_at <= now < recorded_at + MIN_INTERVAL:
            return False
        self._recorded_at[caller] = now
        return True
