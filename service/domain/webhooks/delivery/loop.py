"""Find what is to be delivered, and deliver it, many positions at a time: one that is slow holds up none but itself.

Each worker runs this beside its tasks. Which of them delivers is decided by the turns of the positions.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol

from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.calls import Caller
from service.domain.webhooks.delivery.session import deliver
from service.domain.webhooks.delivery.single import deliver_single
from service.domain.webhooks.delivery.slots import FAILING_AT_ONCE, Slots
from service.foundation.cancellation import cancel_and_wait
from service.foundation.wake_ups import WakeUps
from service.storage import webhook_sending
from service.storage.webhook_sending import DuePosition, DueSingle
from service.webhooks.client import WebhookClient

# Seconds between two looks at all positions. What this process has numbered itself is looked at sooner.
POLL_INTERVAL: Final = 1.0
# Of one endpoint so many channels are found at a time, of all of them so many.
FOUND_OF_EACH: Final = 100
FOUND_AT_ONCE: Final = 2_000
# Of all calls that there may be, those of trials and of what is sent once more are this part besides.
SINGLES_SHARE: Final = 4
# If more channels have something new, all are looked at.
FEW_CHANNELS: Final = 20

log = logging.getLogger(__name__)


class _Then(Protocol):
    def __call__(self, *, stopping: bool) -> None: ...


class Deliverer:
    """Deliver in this process, within the limits of the settings: in all, of a robot and of an endpoint.

    Nothing is delivered while `may_call` says no: on a copy of the database another installation does so.
    """

    def __init__(self, runtime: Runtime, client: WebhookClient, *, may_call: Callable[[], bool] = lambda: True) -> None:
        self._runtime = runtime
        self._caller = Caller(runtime, client, may_call)
        calls = runtime.settings.webhooks
        self._slots: Slots[DuePosition] = Slots(calls)
        # What is sent by hand has calls of its own, so that nobody who tries something waits for changes that are many.
        self._singles: Slots[DueSingle] = Slots(replace(calls, at_once=max(1, calls.at_once // SINGLES_SHARE)))
        self._sessions: set[asyncio.Task[None]] = set()
        self._woken: WakeUps[int] = WakeUps()
        self._news_of_busy: set[int] = set()

    def wake(self, channel_id: int) -> None:
        """Look soon whether something is to be delivered of a channel."""
        if self._slots.is_busy(channel_id):
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
        if not self._caller.may_call():
            return
        now = self._runtime.clock()
        async with self._runtime.pool.acquire() as conn:
            found = await webhook_sending.due_positions(conn, now, each=FOUND_OF_EACH, limit=FOUND_AT_ONCE)
            singles = await webhook_sending.due_single_deliveries(conn, now, each=FAILING_AT_ONCE, limit=FOUND_AT_ONCE)
        self._singles.wait(singles, instead=True)
        self._start_waiting_singles()
        self._slots.wait(found, instead=True)
        self._start_waiting()

    async def _look_at_some(self, channel_ids: Iterable[int]) -> None:
        if not self._caller.may_call():
            return
        now = self._runtime.clock()
        async with self._runtime.pool.acquire() as conn:
            for channel_id in channel_ids:
                self._slots.wait(
                    await webhook_sending.due_positions(conn, now, each=1, limit=FOUND_AT_ONCE, channel_id=channel_id)
                )
        self._start_waiting()

    def _start_waiting(self, robot_id: str | None = None) -> None:
        for due in self._slots.take(robot_id):
            work = deliver(self._runtime, self._caller, due.channel_id, due.endpoint_id)
            self._start(work, partial(self._end, due))

    def _end(self, due: DuePosition, *, stopping: bool) -> None:
        was_full = self._slots.full
        self._slots.end(due)
        if stopping:
            return
        self._start_waiting(None if was_full else due.robot_id)
        if due.channel_id in self._news_of_busy:
            self._news_of_busy.discard(due.channel_id)
            self.wake(due.channel_id)

    def _start_waiting_singles(self) -> None:
        for due in self._singles.take():
            self._start(deliver_single(self._runtime, self._caller, due.key), partial(self._end_single, due))

    def _end_single(self, due: DueSingle, *, stopping: bool) -> None:
        self._singles.end(due)
        if not stopping:
            self._start_waiting_singles()

    def _start(self, work: Coroutine[Any, Any, None], then: _Then) -> None:
        task = asyncio.create_task(work, name="webhook")
        self._sessions.add(task)

        def end(task: "asyncio.Task[None]") -> None:
            self._sessions.discard(task)
            if not task.cancelled() and (error := task.exception()) is not None:
                # Whoever had the turn keeps it until it ends, so this is not repeated at once.
                log.error("delivering a webhook failed", exc_info=error)
            then(stopping=task.cancelled())

        task.add_done_callback(end)
