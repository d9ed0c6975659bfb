"""Find what is to be delivered, and deliver it, many positions at a time: one that is slow holds up none but itself.

Each worker runs this beside its tasks. Which of them delivers is decided by the turns of the positions.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import Coroutine, Iterable
from typing import Any, Final

from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.calls import Caller
from service.domain.webhooks.delivery.session import deliver
from service.domain.webhooks.delivery.single import deliver_single
from service.entities.webhooks import DeliveryKey
from service.foundation.cancellation import cancel_and_wait
from service.foundation.wake_ups import WakeUps
from service.storage import webhook_sending
from service.storage.webhook_sending import DuePosition
from service.webhooks.client import WebhookClient

# Seconds between two looks at all positions. What this process has numbered itself is looked at sooner.
POLL_INTERVAL: Final = 1.0
# Of one endpoint so many channels are found at a time, of all of them so many.
FOUND_OF_EACH: Final = 100
FOUND_AT_ONCE: Final = 2_000
# If more channels have something new, all are looked at.
FEW_CHANNELS: Final = 20
# An endpoint that did not acknowledge the last time is called for so many channels at a time.
FAILING_AT_ONCE: Final = 2
# The endpoints of one robot have this part of all calls at most.
ROBOT_SHARE: Final = 4

log = logging.getLogger(__name__)


class Deliverer:
    """Deliver in this process, within the limits of the settings: in all, of a robot and of an endpoint."""

    def __init__(self, runtime: Runtime, client: WebhookClient) -> None:
        self._runtime = runtime
        self._caller = Caller(runtime, client)
        self._limits = runtime.settings.webhooks
        self._found: dict[int, deque[DuePosition]] = {}
        self._under_way: set[tuple[int, ...]] = set()
        self._of_endpoint: defaultdict[int, int] = defaultdict(int)
        self._of_robot: defaultdict[str, int] = defaultdict(int)
        self._of_channel: defaultdict[int, int] = defaultdict(int)
        self._news_of_busy: set[int] = set()
        self._sessions: set[asyncio.Task[None]] = set()
        self._woken: WakeUps[int] = WakeUps()

    def wake(self, channel_id: int) -> None:
        """Look soon whether something is to be delivered of a channel."""
        if channel_id in self._of_channel:
            # Whoever is at it may have seen the end of the feed already.
            self._news_of_busy.add(channel_id)
        else:
            self._woken.wake(channel_id)

    async def run(self) -> None:
        """Deliver until cancelled. Raises what the database raises; then everything may begin again.

        Calls that are under way go on to their ends, as shielded work of the runtime.
        """
        loop = asyncio.get_running_loop()
        try:
            while True:
                await self._look_at_all()
                next_look_at = loop.time() + POLL_INTERVAL
                while (left := next_look_at - loop.time()) > 0:
                    channel_ids = await self._woken.take(left)
                    if len(channel_ids) > FEW_CHANNELS:
                        break
                    await self._look_at_some(channel_ids)
        finally:
            await cancel_and_wait(*self._sessions)

    async def deliver_due(self) -> None:
        """Deliver all that is due now, and wait until that is done."""
        await self._look_at_all()
        while self._sessions:
            await asyncio.wait(self._sessions)

    async def _look_at_all(self) -> None:
        now = self._runtime.clock()
        async with self._runtime.pool.acquire() as conn:
            found = await webhook_sending.due_positions(conn, now, each=FOUND_OF_EACH, limit=FOUND_AT_ONCE)
            singles = await webhook_sending.due_single_deliveries(conn, now, self._limits.at_once)
        self._found.clear()
        for key in singles:
            self._start_single(key)
        self._queue(found)

    async def _look_at_some(self, channel_ids: Iterable[int]) -> None:
        now = self._runtime.clock()
        async with self._runtime.pool.acquire() as conn:
            for channel_id in channel_ids:
                self._queue(
                    await webhook_sending.due_positions(conn, now, each=1, limit=FOUND_AT_ONCE, channel_id=channel_id)
                )

    def _queue(self, found: Iterable[DuePosition]) -> None:
        for due in found:
            self._found.setdefault(due.endpoint_id, deque()).append(due)
        for endpoint_id in list(self._found):
            self._start_of(endpoint_id)

    def _start_of(self, endpoint_id: int) -> None:
        """Start as many of the sessions of an endpoint as there may be."""
        waiting = self._found.get(endpoint_id, deque())
        while waiting and self._may_start(waiting[0]):
            due = waiting.popleft()
            key = (due.channel_id, due.endpoint_id)
            if key not in self._under_way:
                self._count(due, 1)
                self._start(key, deliver(self._runtime, self._caller, *key), due)
        if not waiting:
            self._found.pop(endpoint_id, None)

    def _start_single(self, key: DeliveryKey) -> None:
        if tuple(key) not in self._under_way and len(self._sessions) < self._limits.at_once:
            self._start(tuple(key), deliver_single(self._runtime, self._caller, key), None)

    def _may_start(self, due: DuePosition) -> bool:
        of_endpoint = FAILING_AT_ONCE if due.failing else self._limits.at_once_each
        return (
            len(self._sessions) < self._limits.at_once
            and self._of_endpoint.get(due.endpoint_id, 0) < of_endpoint
            and self._of_robot.get(due.robot_id, 0) < max(1, self._limits.at_once // ROBOT_SHARE)
        )

    def _start(self, key: tuple[int, ...], work: Coroutine[Any, Any, None], due: DuePosition | None) -> None:
        self._under_way.add(key)
        task = asyncio.create_task(work, name="webhook")
        self._sessions.add(task)
        task.add_done_callback(lambda task: self._ended(task, key, due))

    def _ended(self, task: asyncio.Task[None], key: tuple[int, ...], due: DuePosition | None) -> None:
        self._sessions.discard(task)
        self._under_way.discard(key)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Whoever had the turn keeps it until it ends, so this is not repeated at once.
            log.error("delivering a webhook failed", exc_info=error)
        if due is None:
            return
        self._count(due, -1)
        if not task.cancelled():
            self._start_of(due.endpoint_id)
            if due.channel_id in self._news_of_busy:
                self._news_of_busy.discard(due.channel_id)
                self.wake(due.channel_id)

    def _count(self, due: DuePosition, by: int) -> None:
        """Count a session that begins or ends."""
        self._of_endpoint[due.endpoint_id] += by
        self._of_robot[due.robot_id] += by
        self._of_channel[due.channel_id] += by
        if not self._of_endpoint[due.endpoint_id]:
            del self._of_endpoint[due.endpoint_id]
        if not self._of_robot[due.robot_id]:
            del self._of_robot[due.robot_id]
        if not self._of_channel[due.channel_id]:
            del self._of_channel[due.channel_id]
