"""Count a message for whom it is claimed, in the transaction of the claim, and take that back where it was not sent.

Source: docs/specification.md §6.6.
"""

from collections.abc import Iterable
from datetime import date, datetime

from service.domain.broadcasts.policy import caps
from service.domain.broadcasts.policy.caps import CountedMessage, Reservation
from service.entities.bitmaps import Bitmaps, ordinals_in
from service.entities.broadcasts import Broadcast, BroadcastPolicy
from service.storage.broadcasts import broadcast_sends
from service.storage.database.pool import Connection


async def reserve(
    conn: Connection, broadcast: Broadcast, policy: BroadcastPolicy, people: Bitmaps, now: datetime
) -> Reservation:
    """Count a message of a broadcast for these people but those who had enough."""
    message = CountedMessage(policy, broadcast.kind, now, broadcast.ignore_caps)
    return await caps.reserve(conn, broadcast.channel_id, message, people)


async def use_consents(conn: Connection, broadcast: Broadcast, ordinals: Iterable[int], now: datetime) -> None:
    """Use up for a message, where its kind takes one, what people allowed; after counters, before calls are counted."""
    if broadcast.kind.subscription:
        template_id = broadcast.message["template_id"]
        await broadcast_sends.use_consents(conn, broadcast.channel_id, template_id, ordinals, now)


async def give_back(
    conn: Connection, broadcast: Broadcast, people: Bitmaps, claimed_at: datetime, counted_on: date | None
) -> None:
    """Take back what was counted for a message, claimed at an instant, that these people certainly did not get."""
    if counted_on is not None:
        await caps.give_back(conn, broadcast.channel_id, broadcast.kind, people, claimed_at, counted_on)
    await give_back_consents(conn, broadcast, people, claimed_at)


async def give_back_consents(conn: Connection, broadcast: Broadcast, people: Bitmaps, claimed_at: datetime) -> None:
    """Let these people allow another message still, where one that was claimed at an instant used that up."""
    if broadcast.kind.subscription:
        template_id, ordinals = broadcast.message["template_id"], ordinals_in(people)
        await broadcast_sends.give_back_consents(conn, broadcast.channel_id, template_id, ordinals, claimed_at)
