"""Deliver again, in order, whatever came after an instant or a cursor (docs/specification.md §6.4)."""

from datetime import datetime
from typing import Final, NamedTuple

from service.domain.change_feed.cursors import decode_cursor
from service.domain.channels.lookup import find_channel
from service.domain.runtime import Runtime
from service.domain.webhooks.endpoints.auditing import record_act
from service.domain.webhooks.endpoints.lookup import ToldEndpoint, lock_endpoint, with_positions
from service.entities.change_feed import WHOLE_ENTRY, FeedPosition
from service.entities.errors import BadInputError, FieldError
from service.entities.principal import Permission, Principal
from service.storage import change_feed, webhooks
from service.storage.database.pool import Connection

# Before whatever a feed holds: reading from here tells that something was missed.
BEFORE_EVERYTHING: Final = FeedPosition(0)


class ReplayFrom(NamedTuple):
    """Say from where on to deliver again: after an instant or after a cursor, one of the two."""

    since: datetime | None
    cursor: str | None


class _Start(NamedTuple):
    """Hold a position to go back to, when it was, and whether the feed no longer reaches back to it."""

    position: FeedPosition
    at: datetime
    missed: bool


async def replay(
    runtime: Runtime, principal: Principal, endpoint_id: int, channel_id: int, start: ReplayFrom
) -> ToldEndpoint:
    """Let an endpoint be told again of a channel; where the feed no longer reaches back, `feed.reset` comes first.

    A delivery that is under way is given up, as its events come again. Raises ForbiddenError; NotFoundError; and
    BadInputError for a channel that it is not told of, for a start that is no start, and for one ahead of us.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        now = runtime.clock()
        endpoint = await lock_endpoint(conn, principal, endpoint_id, now)
        await find_channel(conn, principal, channel_id, Permission.MANAGE_WEBHOOKS)
        if not endpoint.follows(channel_id):
            raise BadInputError(
                FieldError(("channel_id",), "NOT_FOLLOWED", "The endpoint is not told of this channel.")
            )
        await change_feed.open_feed(conn, channel_id, now)
        found = await _find_start(conn, channel_id, start, now)
        await webhooks.move_position(conn, channel_id, endpoint_id, found.position, at=found.at, missed=found.missed)
        await record_act(
            conn,
            runtime,
            principal,
            "replay_webhook",
            endpoint_id,
            channel_id=channel_id,
            after={"since": found.at},
        )
        [told] = await with_positions(conn, [endpoint], now)
    return told


async def _find_start(conn: Connection, channel_id: int, start: ReplayFrom, now: datetime) -> _Start:
    """Return the position to go back to. Raises BadInputError."""
    if start.cursor is not None and start.since is None:
        return await _start_at(conn, channel_id, decode_cursor(start.cursor, channel_id, "cursor"), now)
    if start.since is None or start.cursor is not None:
        message = "One of `since` and `cursor`."
        raise BadInputError(*(FieldError((name,), "ONE_OF_TWO", message) for name in ("since", "cursor")))
    if start.since > now:
        raise BadInputError(FieldError(("since",), "TIME_IN_FUTURE", "An instant that has passed."))
    found = await change_feed.position_since(conn, channel_id, start.since)
    if found is None:
        # No event is older than that, and the first years of the calendar are no instants in UTC.
        return _Start(BEFORE_EVERYTHING, max(start.since, change_feed.EPOCH), missed=True)
    return _Start(found, start.since, missed=False)


async def _start_at(conn: Connection, channel_id: int, position: FeedPosition, now: datetime) -> _Start:
    """Return a position to go back to, or that from which nothing is missed but told: before everything.

    What lies ahead of the feed was written by a database that was restored since.
    """
    state = await change_feed.feed_state(conn, channel_id)
    if state is None or not state.base <= position <= FeedPosition(state.last_seq, WHOLE_ENTRY):
        return _Start(BEFORE_EVERYTHING, min(change_feed.instant_of(position.seq), now), missed=True)
    return _Start(position, change_feed.instant_of(position.seq), missed=False)
