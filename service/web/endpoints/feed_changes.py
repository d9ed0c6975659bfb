"""`GET /feed/changes`: read the numbered feed of a channel, for systems that cannot be called by webhooks."""

import asyncio
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from service.api.errors import field_errors_json
from service.auth.tokens import TokenVerifier, bearer_token
from service.domain.change_feed.cursors import encode_cursor
from service.domain.change_feed.reading import read_feed
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.runtime import Runtime
from service.entities.change_feed import FeedPage, FeedPosition
from service.entities.errors import ErrorCode, RateLimitedError, RequestError, UnauthenticatedError
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission, Principal
from service.resources import Resources, resources_of
from service.storage.change_feed import open_feed, position_now
from service.storage.database.pool import OUTAGE_ERRORS
from service.web.endpoints.feed_query import FeedQuery, feed_query

MEDIA_TYPE: Final = "application/x-ndjson"
EVENTS_PER_LINE: Final = 100
# Seconds: how soon it is noticed that a client which waits is gone.
PATIENCE: Final = 5.0
STATUS_CODES: Final = {
    ErrorCode.UNAUTHENTICATED: 401,
    ErrorCode.FORBIDDEN: 403,
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.LIMIT_EXCEEDED: 429,
    ErrorCode.RATE_LIMITED: 429,
}

log = logging.getLogger(__name__)


class FeedChangesEndpoint:
    """Answer events after a cursor in JSON lines, at once or as soon as there are any."""

    def __init__(self, verifier: TokenVerifier) -> None:
        self._verifier = verifier

    async def get(self, request: Request) -> Response:
        """Answer a line for each hundred events, and at least one: `{"events": […], "cursor": "…"}`.

        Errors are JSON with `code`, `message` and `fields`: 400, 401, 403, 404 or 429 by their code, 503 TRY_AGAIN in
        an outage.
        """
        try:
            page, channel_id = await self._page(request)
        except RequestError as error:
            return _refusal(error)
        except OUTAGE_ERRORS as error:
            log.warning("request %s: the feed cannot be read: %s", request.state.request_id, type(error).__name__)
            return Response(
                orjson.dumps({"code": "TRY_AGAIN", "message": "Try again in a moment."}),
                503,
                media_type="application/json",
            )
        lines = b"".join(orjson.dumps(line) + b"\n" for line in _lines(page, channel_id))
        return Response(lines, headers={"cache-control": "private, no-store"}, media_type=MEDIA_TYPE)

    async def _page(self, request: Request) -> tuple[FeedPage, int]:
        resources = resources_of(request.scope)
        token = bearer_token(request.headers.get("authorization"))
        if token is None:
            raise UnauthenticatedError
        principal = await self._verifier.verify(token)
        resources.rate_limiter.acquire(principal)
        query = feed_query(request.query_params)
        channel_id = parse_channel_gid(query.channel_id)
        await resources.channels.find(principal, channel_id, Permission.MANAGE_WEBHOOKS)
        after = await _begin(resources.runtime, channel_id, query)
        if not query.wait:
            return await read_feed(resources.runtime, channel_id, after, limit=query.limit), channel_id
        with resources.subscriptions.reserve(principal):
            return await _wait(request, resources, principal, channel_id, after, query), channel_id


async def _begin(runtime: Runtime, channel_id: int, query: FeedQuery) -> FeedPosition:
    """Let the channel have a feed, number what is committed by now, and return from where on to read."""
    after = query.position(channel_id)
    async with runtime.pool.acquire() as conn:
        await open_feed(conn, channel_id, runtime.clock())
        if after is None:
            after = await position_now(conn, channel_id)
    await sequence_channel(runtime, channel_id)
    return after


async def _wait(
    request: Request,
    resources: Resources,
    principal: Principal,
    channel_id: int,
    after: FeedPosition,
    query: FeedQuery,
) -> FeedPage:
    """Return the first page with an event, the present one when time is up, the token expires or the client is gone."""
    loop = asyncio.get_running_loop()
    token_ends = (principal.expires_at - datetime.now(UTC)).total_seconds()
    ends_at = loop.time() + min(query.wait, token_ends)
    while True:
        page = await read_feed(resources.runtime, channel_id, after, limit=query.limit)
        if page.events or loop.time() >= ends_at or await request.is_disconnected():
            return page
        after = page.position
        if page.at_end and not await _news(request, resources, channel_id, after.seq, ends_at):
            return page


async def _news(request: Request, resources: Resources, channel_id: int, seq: int, ends_at: float) -> bool:
    """Return once there is something to read after an entry; False when time is up or the client is gone."""
    loop = asyncio.get_running_loop()
    while (left := ends_at - loop.time()) > 0 and not await request.is_disconnected():
        # Thousands may wait, so nothing is read before there is something.
        if await resources.new_entries.wait(channel_id, seq, min(left, PATIENCE)):
            return True
    return False


def _lines(page: FeedPage, channel_id: int) -> Iterator[dict[str, Any]]:
    last = encode_cursor(channel_id, page.position)
    for start in range(0, max(len(page.events), 1), EVENTS_PER_LINE):
        events = [event.body for event in page.events[start : start + EVENTS_PER_LINE]]
        ends = start + EVENTS_PER_LINE >= len(page.events)
        yield {"events": events, "cursor": last if ends else events[-1]["cursor"]}


def _refusal(error: RequestError) -> Response:
    content = {"code": error.code, "message": error.message, "fields": field_errors_json(error.fields)}
    headers = {"retry-after": str(error.retry_after)} if isinstance(error, RateLimitedError) else {}
    status = STATUS_CODES.get(error.code, 400)
    return Response(orjson.dumps(content), status, headers, media_type="application/json")
