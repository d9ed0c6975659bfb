"""Show in `/metrics` which broadcasts somebody has to look at, the same in every process."""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from service.entities.broadcasts import WaitReason
from service.resources import Resources
from service.storage.broadcasts import broadcast_alarms
from service.storage.database.pool import DATABASE_ERRORS

# Seconds.
READ_TIMEOUT: Final = 2.0
UNCERTAIN_SINCE: Final = timedelta(days=1)
# What ended before was looked at while it was sent.
CHECKED_SINCE: Final = timedelta(hours=1)
MAX_FOUND: Final = 100

log = logging.getLogger(__name__)


class BroadcastMetrics:
    """Read how the broadcasts of all channels are doing, and warn once of each whose numbers do not close."""

    def __init__(self, collectors: CollectorRegistry) -> None:
        self._halted = Gauge(
            "user_tags_broadcasts_halted",
            "Broadcasts that are PAUSED or WAITING_FOR_APPROVAL, by what they wait for.",
            ["waiting_for"],
            registry=collectors,
        )
        self._overdue = Gauge(
            "user_tags_broadcasts_halted_seconds",
            "How long ago the first of them was to start; 0 while none was.",
            registry=collectors,
        )
        self._uncertain = Gauge(
            "user_tags_broadcasts_uncertain",
            "Broadcasts that ended in the last day or wait, with people of whom nobody knows whether they got it.",
            registry=collectors,
        )
        self._not_closing = Gauge(
            "user_tags_broadcasts_not_closing",
            "Broadcasts that go on or ended in the last hour, and whose numbers do not close.",
            registry=collectors,
        )
        self._warned: set[tuple[int, int]] = set()

    async def read(self, resources: Resources) -> None:
        """Read how they are doing; what was read before stays while the database does not answer."""
        pool, now = resources.runtime.pool, resources.runtime.clock()
        try:
            async with asyncio.timeout(READ_TIMEOUT), pool.acquire(timeout=READ_TIMEOUT) as conn:
                halted = await broadcast_alarms.halted_broadcasts(conn)
                uncertain = await broadcast_alarms.count_uncertain_broadcasts(conn, now - UNCERTAIN_SINCE)
                wrong = await broadcast_alarms.broadcasts_that_do_not_close(conn, now - CHECKED_SINCE, MAX_FOUND)
        except DATABASE_ERRORS:
            return
        for reason in WaitReason:
            self._halted.labels(reason.value).set(halted[reason].broadcasts if reason in halted else 0)
        first = min((each.first_start for each in halted.values()), default=now)
        self._overdue.set(max((now - first).total_seconds(), 0))
        self._uncertain.set(uncertain)
        self._not_closing.set(len(wrong))
        self._warn(set(wrong))

    def _warn(self, wrong: set[tuple[int, int]]) -> None:
        for channel_id, job_id in sorted(wrong - self._warned):
            log.warning("the numbers of broadcast %d of channel %d do not close", job_id, channel_id)
        self._warned = wrong
