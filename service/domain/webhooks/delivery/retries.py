"""Say when a delivery that failed is tried again (docs/specification.md §6.8)."""

from datetime import timedelta
from typing import Final

from service.entities.webhooks import FAILING_AFTER

FIRST_DELAY: Final = timedelta(seconds=5)
MAX_DELAY: Final = timedelta(minutes=15)
PROBE_DELAY: Final = timedelta(hours=1)
# By which part of itself a delay is made longer or shorter, so that those who failed together come back apart.
JITTER: Final = 0.2
# Doubled so often, the first delay is over the longest.
MAX_DOUBLINGS: Final = 10


def retry_delay(attempts: int, failing_for: timedelta, retry_after: timedelta | None, draw: float) -> timedelta:
    """Return how long to wait after so many failed attempts in a row; `draw` is random, from 0 to 1.

    `failing_for` is how long ago the first of them was. It doubles from 5 seconds to 15 minutes, and is an hour after
    three days; what the receiver asks for comes instead, but no sooner than 5 seconds, and after three days an hour.
    """
    failing = failing_for >= FAILING_AFTER
    if retry_after is not None:
        # Never before the time that was asked for.
        return max(retry_after, PROBE_DELAY if failing else FIRST_DELAY) * (1 + JITTER * draw)
    delay = PROBE_DELAY if failing else min(FIRST_DELAY * 2 ** min(attempts - 1, MAX_DOUBLINGS), MAX_DELAY)
    return delay * (1 + JITTER * (2 * draw - 1))
