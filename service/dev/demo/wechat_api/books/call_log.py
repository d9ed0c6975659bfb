"""Record the calls that were made, what was answered, and how many ran at once."""

from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

MAX_RECENT: Final = 1_000


@dataclass(slots=True)
class CallRecord:
    """Hold one call. `outcome` is its errcode, 0 for success, or the name of the fault; None while it runs.

    `app_id` is empty where no account could be told.
    """

    path: str
    app_id: str
    at: datetime
    payload: dict[str, Any]
    outcome: int | str | None = None


class CallLog:
    """Count calls by app id and path; `recent` holds the newest ones.

    `running` and `peaks` count how many run at once, by app id and group: the path, and `TAGGING` for whatever tags.
    """

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, str, int | str]] = Counter()
        self.running: Counter[tuple[str, str]] = Counter()
        self.peaks: Counter[tuple[str, str]] = Counter()
        self.recent: deque[CallRecord] = deque(maxlen=MAX_RECENT)

    @contextmanager
    def record(self, record: CallRecord, groups: tuple[str, ...]) -> Generator[None]:
        """Count a call that runs inside the block and has its outcome at the end."""
        self.recent.append(record)
        for group in groups:
            key = record.app_id, group
            self.running[key] += 1
            self.peaks[key] = max(self.peaks[key], self.running[key])
        try:
            yield
        finally:
            for group in groups:
                self.running[record.app_id, group] -= 1
            if record.outcome is not None:
                self.outcomes[record.app_id, record.path, record.outcome] += 1

    def count(self, app_id: str, path: str) -> int:
        """Return how many calls of a path have ended."""
        return sum(number for (owner, called, _), number in self.outcomes.items() if (owner, called) == (app_id, path))
