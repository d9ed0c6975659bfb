"""Store who delivers to an endpoint, what is delivered, and what became of it.

A turn is what one session of one process holds of a position. Whatever is written by a turn that another has followed
changes nothing, which the functions tell by False or None.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

import asyncpg

from service.entities.change_feed import FeedPosition
from service.entities.webhooks import (
    DeliveryKey,
    DeliveryKind,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookError,
    WebhookState,
)
from service.storage.change_feed import instant_of
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.webhooks import delivery_of, endpoint_of


class DuePosition(NamedTuple):
    """Name a position whose endpoint was not told all; `failing` if it did not acknowledge the last time."""

    channel_id: int
    endpoint_id: int
    robot_id: str
    failing: bool


class DueSingle(NamedTuple):
    """Name a delivery that is due by itself: a trial, or one that is sent once more."""

    channel_id: int
    endpoint_id: int
    delivery_id: int
    robot_id: str

    @property
    def key(self) -> DeliveryKey:
        """Return the key of the delivery."""
        return DeliveryKey(self.channel_id, self.endpoint_id, self.delivery_id)

    @property
    def failing(self) -> bool:
        """Return that nothing is known of how its endpoint fares, which is called as one that fails."""
        return True


class Turn(NamedTuple):
    """Name a turn at a position, which lasts until an instant by the clock of the service."""

    channel_id: int
    endpoint_id: int
    turn: int
    until: datetime


class ClaimedPosition(NamedTuple):
    """Hold how far an endpoint has been told of a channel, as of the beginning of a turn."""

    turn: Turn
    position: FeedPosition
    at: datetime
    failing_since: datetime | None
    attempts: int
    delivery_id: int | None


class NewDelivery(NamedTuple):
    """Hold what is to be delivered: so many events after a position up to another."""

    message_id: str
    kind: DeliveryKind
    part: int | None
    events: int
    after: FeedPosition
    until: FeedPosition


class StoredDelivery(NamedTuple):
    """Hold a delivery that was stored, with its number and when that was."""

    delivery_id: int
    created_at: datetime
    content: NewDelivery


class Outcome(NamedTuple):
    """Hold what an attempt ended with; `error` is None where it was acknowledged."""

    at: datetime
    status: int | None
    error: WebhookError | None
    answer: str | None
    events: int


class WebhookHealth(NamedTuple):
    """Hold how many endpoints are in a state, and since when the oldest event waits for one; None where none does."""

    endpoints: int
    waiting_since: datetime | None


async def due_positions(
    conn: Connection, now: datetime, *, each: int, limit: int, channel_id: int | None = None
) -> list[DuePosition]:
    """Return positions that are due, of each endpoint at most `each`, over all channels or of one."""
    rows = await conn.fetch(STATEMENTS["due_webhook_positions"], now, each, channel_id, limit)
    return [DuePosition(*row) for row in rows]


async def due_single_deliveries(conn: Connection, now: datetime, *, each: int, limit: int) -> list[DueSingle]:
    """Return trials, and deliveries to be sent once more, that are due, of each endpoint at most `each`."""
    return [DueSingle(*row) for row in await conn.fetch(STATEMENTS["due_single_deliveries"], now, each, limit)]


async def claim_position(
    conn: Connection, channel_id: int, endpoint_id: int, now: datetime, until: datetime
) -> ClaimedPosition | None:
    """Take the turn at a position; None while somebody else has it, or its next attempt is not due."""
    row = await conn.fetchrow(STATEMENTS["claim_webhook_position"], channel_id, endpoint_id, now, until)
    if row is None:
        return None
    return ClaimedPosition(
        turn=Turn(channel_id, endpoint_id, row["turn"], until),
        position=FeedPosition(row["seq"], row["version"], row["user_offset"]),
        at=row["at"],
        failing_since=row["failing_since"],
        attempts=row["attempts"],
        delivery_id=row["delivery_id"],
    )


async def endpoint_that_is_on(conn: Connection, endpoint_id: int) -> WebhookEndpoint | None:
    """Return an endpoint, None if it is OFF, GONE or deleted."""
    row = await conn.fetchrow(STATEMENTS["webhook_endpoint_on"], endpoint_id)
    return None if row is None else endpoint_of(row)


async def stored_delivery(conn: Connection, key: DeliveryKey) -> StoredDelivery | None:
    """Return a delivery with the range of its events; None if there is no such, or it is a trial."""
    row = await conn.fetchrow(STATEMENTS["webhook_delivery_range"], *key)
    return None if row is None or row["from_seq"] is None else _stored(row)


async def insert_delivery(conn: Connection, turn: Turn, new: NewDelivery, now: datetime) -> StoredDelivery | None:
    """Store what is delivered next, which keeps the turn until its instant; None if another turn was taken."""
    delivery_id = await conn.fetchval(
        STATEMENTS["insert_webhook_delivery"],
        *turn,
        now,
        *(new.message_id, new.kind.value, new.part, new.events),
        *(*new.after, *new.until),
    )
    return None if delivery_id is None else StoredDelivery(delivery_id, now, new)


async def acknowledge_delivery(
    conn: Connection,
    turn: Turn,
    delivery: StoredDelivery,
    outcome: Outcome,
    *,
    attempts: int,
    position: FeedPosition,
    at: datetime,
    missed: bool,
    keep: bool,
) -> bool:
    """Record that a delivery was acknowledged after so many further attempts, and move the position.

    `at` is when that was in the feed, `missed` whether more of a `feed.reset` is to come. The turn ends unless it is to
    be kept. False if another turn was taken.
    """
    done = await conn.fetchval(
        STATEMENTS["acknowledge_webhook_delivery"],
        *turn[:3],
        delivery.delivery_id,
        turn.until if keep else None,
        outcome.at,
        attempts,
        outcome.status,
        outcome.answer,
        outcome.events,
        *position,
        at,
        missed,
    )
    return done is not None


async def fail_delivery(
    conn: Connection, turn: Turn, delivery: StoredDelivery, outcome: Outcome, reason: str, next_attempt_at: datetime
) -> bool:
    """Record that an attempt failed and when the next one is, and end the turn; False if another was taken."""
    done = await conn.fetchval(
        STATEMENTS["fail_webhook_delivery"],
        *turn[:3],
        delivery.delivery_id,
        outcome.at,
        next_attempt_at,
        reason,
        outcome.status,
        outcome.error,
        outcome.answer,
        outcome.events,
    )
    return done is not None


async def drop_delivery(conn: Connection, turn: Turn, delivery: StoredDelivery) -> bool:
    """Try a delivery no more whose events are gone; False if another turn was taken."""
    return await conn.fetchval(STATEMENTS["drop_webhook_delivery"], *turn[:3], delivery.delivery_id) is not None


async def advance_position(conn: Connection, turn: Turn, position: FeedPosition, at: datetime, *, keep: bool) -> bool:
    """Move a position over what its endpoint does not follow; False if another turn was taken."""
    until = turn.until if keep else None
    return await conn.fetchval(STATEMENTS["advance_webhook_position"], *turn[:3], until, *position, at) is not None


async def release_position(conn: Connection, turn: Turn) -> None:
    """End a turn, also where the position was moved meanwhile, so that others take the next at once."""
    await conn.execute(STATEMENTS["release_webhook_position"], *turn)


async def mark_gone(conn: Connection, endpoint: WebhookEndpoint, reason: str) -> None:
    """Record that an endpoint wants no more calls, unless its settings have changed since it was read."""
    await conn.execute(STATEMENTS["mark_webhook_endpoint_gone"], endpoint.endpoint_id, endpoint.version, reason)


async def claim_single(
    conn: Connection, key: DeliveryKey, now: datetime, until: datetime
) -> tuple[WebhookDelivery, StoredDelivery | None] | None:
    """Take a delivery that is due by itself, and its range, None for a trial; None if somebody else has taken it."""
    row = await conn.fetchrow(STATEMENTS["claim_single_delivery"], *key, now, until)
    if row is None:
        return None
    return delivery_of(row), None if row["from_seq"] is None else _stored(row)


async def drop_single(conn: Connection, key: DeliveryKey, until: datetime) -> None:
    """Send a delivery no more that was taken until an instant."""
    await conn.execute(STATEMENTS["drop_single_delivery"], *key, until)


async def end_single(conn: Connection, key: DeliveryKey, until: datetime, outcome: Outcome) -> None:
    """Record what became of a delivery that was taken until an instant."""
    delivered_at = outcome.at if outcome.error is None else None
    await conn.execute(
        STATEMENTS["end_single_delivery"], *key, until, outcome.status, outcome.error, outcome.answer, delivered_at
    )


async def prune_deliveries_of_position(conn: Connection, up_to: DeliveryKey) -> None:
    """Delete the deliveries of a position up to one that are not tried any more."""
    await conn.execute(STATEMENTS["prune_deliveries_of_position"], *up_to)


async def prune_deliveries(conn: Connection, channel_id: int, before: datetime) -> None:
    """Delete the deliveries of a channel from before an instant, and those of endpoints that follow it no more."""
    await conn.execute(STATEMENTS["prune_webhook_deliveries"], channel_id, before)


async def health(conn: Connection, now: datetime, failing_after: timedelta) -> dict[WebhookState, WebhookHealth]:
    """Return how the endpoints of all robots fare, by the states that there are."""
    rows = await conn.fetch(STATEMENTS["webhook_health"], now, failing_after)
    return {
        WebhookState(row["state"]): WebhookHealth(
            row["endpoints"], None if row["waiting_seq"] is None else instant_of(row["waiting_seq"])
        )
        for row in rows
    }


def _stored(row: asyncpg.Record) -> StoredDelivery:
    content = NewDelivery(
        message_id=row["message_id"],
        kind=DeliveryKind(row["kind"]),
        part=row["part"],
        events=row["events"],
        after=FeedPosition(row["from_seq"], row["from_version"], row["from_offset"]),
        until=FeedPosition(row["to_seq"], row["to_version"], row["to_offset"]),
    )
    return StoredDelivery(row["delivery_id"], row["created_at"], content)
