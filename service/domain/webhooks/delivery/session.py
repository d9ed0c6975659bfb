"""Deliver to one endpoint what happened in one channel, a delivery at a time, until it was told all or one fails.

A delivery is stored before its first attempt, and the next one together with the acknowledgement of the one before, so
that whoever goes on after a crash sends the same events under the same `webhook-id`. Nobody else delivers meanwhile:
the session holds the turn of the position, and begins no call that would end after it.
"""

import asyncio
import logging
import random
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.batches import Batch, FeedBatches
from service.domain.webhooks.delivery.calls import Caller, new_message_id
from service.domain.webhooks.delivery.pruning import prune_after
from service.domain.webhooks.delivery.retries import retry_delay
from service.entities.change_feed import FeedFilter, FeedPosition
from service.entities.webhooks import DeliveryKey, WebhookEndpoint
from service.storage import webhook_sending
from service.storage.database.pool import Connection
from service.storage.webhook_sending import ClaimedPosition, NewDelivery, Outcome, StoredDelivery, Turn
from service.webhooks.answers import Answer

# How long after the longest call a turn goes on, and how much of it may pass before the call begins.
TURN_RESERVE: Final = timedelta(seconds=10)
BEGIN_WITHIN: Final = 5.0  # seconds
# Seconds after which the settings of the endpoint are read again.
SETTINGS_FRESH_FOR: Final = 1.0
ACKNOWLEDGED: Final = Answer(None, None)

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Step:
    """Hold a delivery that is stored, and its events where they were read by this session."""

    delivery: StoredDelivery
    batch: Batch | None


async def deliver(runtime: Runtime, caller: Caller, channel_id: int, endpoint_id: int) -> None:
    """Deliver until the endpoint was told all of a channel, an attempt fails, or somebody else has the turn.

    When this is cancelled, a call under way is ended and recorded, and the turn is let go.
    """
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        claimed = await webhook_sending.claim_position(conn, channel_id, endpoint_id, now, turn_end(runtime, now))
    if claimed is not None:
        await _Session(runtime, caller, claimed).run()


def turn_end(runtime: Runtime, now: datetime) -> datetime:
    """Return until when whoever sets out to call now keeps others from it."""
    return now + runtime.settings.webhooks.call_within + TURN_RESERVE


def outcome_of(answer: Answer, now: datetime, events: int) -> Outcome:
    """Return what is kept of an answer."""
    return Outcome(now, answer.status, answer.error, answer.text, events)


class _Session:
    """Hold the turn of one position, and what was read ahead of it."""

    def __init__(self, runtime: Runtime, caller: Caller, claimed: ClaimedPosition) -> None:
        self._runtime = runtime
        self._caller = caller
        self._claimed = claimed
        self._turn = claimed.turn
        self._turn_began_at = time.monotonic()
        self._batches = FeedBatches(runtime, claimed.turn.channel_id)
        self._endpoint: WebhookEndpoint | None = None
        self._endpoint_fresh_until = 0.0
        self._stopping = False

    async def run(self) -> None:
        try:
            step = await self._shielded(self._first_step())
            while step is not None:
                step = await self._shielded(self._take(step))
        except asyncio.CancelledError:
            self._stopping = True
            raise

    async def _shielded(self, work: Coroutine[Any, Any, _Step | None]) -> _Step | None:
        """Return the next step, if there is one; without one the turn has been let go."""

        async def to_its_end() -> _Step | None:
            step = await work
            if step is None or self._stopping:
                await self._release()
                return None
            return step

        return await self._runtime.shielded.run(to_its_end(), "delivery of a webhook")

    async def _first_step(self) -> _Step | None:
        """Return the delivery that was under way, or else the next."""
        if self._claimed.delivery_id is not None:
            key = DeliveryKey(self._turn.channel_id, self._turn.endpoint_id, self._claimed.delivery_id)
            async with self._runtime.pool.acquire() as conn:
                stored = await webhook_sending.stored_delivery(conn, key)
            if stored is not None:
                return _Step(stored, None)
        return await self._next_step()

    async def _next_step(self) -> _Step | None:
        """Store the next delivery; None where there is none."""
        while not self._stopping and (endpoint := await self._settings()) is not None:
            batch = await self._batches.next(self._claimed.position, self._which(endpoint))
            async with self._runtime.pool.acquire() as conn:
                if batch.events:
                    return await self._store(conn, batch)
                turn = self._longer_turn()
                keep = not batch.at_end
                moved = await webhook_sending.advance_position(conn, turn, batch.until, batch.at, keep=keep)
            if not moved or not keep:
                return None
            self._hold(turn)
            self._claimed = self._claimed._replace(position=batch.until, at=batch.at)
        return None

    async def _take(self, step: _Step) -> _Step | None:
        """Attempt a delivery, and return the next one; None where there is none, or it failed."""
        endpoint = await self._settings()
        if endpoint is None:
            return None
        delivery = step.delivery
        batch = step.batch or await self._batches.again(delivery.content, self._which(endpoint))
        if batch is None:
            async with self._runtime.pool.acquire() as conn:
                dropped = await webhook_sending.drop_delivery(conn, self._turn, delivery)
            return await self._next_step() if dropped else None
        if not batch.events:  # all whom it was about were forgotten
            return await self._acknowledge(delivery, batch, ACKNOWLEDGED, attempts=0)
        if time.monotonic() > self._turn_began_at + BEGIN_WITHIN:
            # Something held this process up: somebody else may have the turn by the time the call ends.
            return None
        answer = await self._caller.call(endpoint, delivery.content.message_id, batch.body)
        if answer.acknowledged:
            return await self._acknowledge(delivery, batch, answer, attempts=1)
        await self._fail(delivery, batch, answer, endpoint)
        return None

    async def _acknowledge(
        self, delivery: StoredDelivery, batch: Batch, answer: Answer, *, attempts: int
    ) -> _Step | None:
        """Record that a delivery was acknowledged, and store the next one by the same transaction."""
        outcome = outcome_of(answer, self._runtime.clock(), batch.events)
        position, at = (batch.until, batch.at) if batch.last else (self._claimed.position, self._claimed.at)
        following = await self._following(position)
        if following is not None and not following.events:
            position, at = following.until, following.at
        keep = following is not None and (following.events > 0 or not following.at_end)
        turn, step = self._longer_turn(), None
        async with self._runtime.pool.acquire() as conn, conn.transaction():
            held = await webhook_sending.acknowledge_delivery(
                conn,
                turn,
                delivery,
                outcome,
                attempts=attempts,
                position=position,
                at=at,
                missed=not batch.last,
                keep=keep,
            )
            if held and following is not None and following.events:
                step = await self._store(conn, following)
            if held:
                await prune_after(conn, DeliveryKey(turn.channel_id, turn.endpoint_id, delivery.delivery_id))
        if not held or not keep:
            return None
        self._hold(turn)
        self._claimed = self._claimed._replace(position=position, at=at, failing_since=None, attempts=0)
        return step or await self._next_step()

    async def _following(self, position: FeedPosition) -> Batch | None:
        """Return what comes after a position; None where nothing is to be told, or it cannot be read now."""
        endpoint = await self._settings()
        if endpoint is None or self._stopping:
            return None
        try:
            return await self._batches.next(position, self._which(endpoint))
        except Exception:
            # What was acknowledged is recorded all the same.
            log.exception("the feed of channel %d could not be read", self._turn.channel_id)
            return None

    async def _fail(self, delivery: StoredDelivery, batch: Batch, answer: Answer, endpoint: WebhookEndpoint) -> None:
        """Record why an attempt failed, and when the next one is."""
        now = self._runtime.clock()
        failing_for = now - (self._claimed.failing_since or now)
        draw = random.random()  # noqa: S311 - no secret
        delay = retry_delay(self._claimed.attempts + 1, failing_for, answer.retry_after, draw)
        reason = answer.reason or ""
        async with self._runtime.pool.acquire() as conn:
            outcome = outcome_of(answer, now, batch.events)
            failed = await webhook_sending.fail_delivery(conn, self._turn, delivery, outcome, reason, now + delay)
            if failed and answer.gone:
                await webhook_sending.mark_gone(conn, endpoint, reason)

    async def _store(self, conn: Connection, batch: Batch) -> _Step | None:
        content = NewDelivery(new_message_id(), batch.kind, batch.part, batch.events, batch.after, batch.until)
        turn = self._longer_turn()
        stored = await webhook_sending.insert_delivery(conn, turn, content, self._runtime.clock())
        if stored is None:
            return None
        self._hold(turn)
        return _Step(stored, batch)

    async def _settings(self) -> WebhookEndpoint | None:
        """Return the endpoint as it was set a moment ago, None if it is to be told nothing."""
        if not self._caller.may_call():
            return None
        if time.monotonic() > self._endpoint_fresh_until:
            async with self._runtime.pool.acquire() as conn:
                self._endpoint = await webhook_sending.endpoint_that_is_on(conn, self._turn.endpoint_id)
            self._endpoint_fresh_until = time.monotonic() + SETTINGS_FRESH_FOR
        return self._endpoint

    def _which(self, endpoint: WebhookEndpoint) -> FeedFilter:
        return endpoint.filter_of(self._turn.channel_id)

    def _longer_turn(self) -> Turn:
        """Return the turn as it is to be written: from now on as long as a new one."""
        return self._turn._replace(until=turn_end(self._runtime, self._runtime.clock()))

    def _hold(self, turn: Turn) -> None:
        """Take note of a turn that was written."""
        self._turn = turn
        self._turn_began_at = time.monotonic()

    async def _release(self) -> None:
        async with self._runtime.pool.acquire() as conn:
            await webhook_sending.release_position(conn, self._turn)
