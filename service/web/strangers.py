"""Limit how often one address is refused for want of credentials: unknown addresses and secrets, wrong tokens."""

from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.entities.errors import RateLimitedError
from service.foundation.client_addresses import peer_of
from service.resources import resources_of

UNAUTHORIZED: Final = 401
UNKNOWN_STATUSES: Final = frozenset({403, 404, 405})
# The GraphQL views count for themselves.
GRAPHQL_PREFIX: Final = "/graphql"
# Their other refusals are those of requests with a valid token.
TOKEN_PREFIXES: Final = ("/import/", "/feed/")
STRANGER_KEY: Final = "is_stranger"
"""An endpoint whose answers are always 200 sets it in the state of a request that has no valid secret."""


class StrangerLimit:
    """Answer 429 in place of a refusal where an address had too many of them; requests with credentials never count.

    Source: docs/settings.md, `REFUSALS_PER_SECOND`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        if scope["type"] != "http" or scope["path"].startswith(GRAPHQL_PREFIX):
            return await self._app(scope, receive, send)
        replaced = False

        async def send_or_replace(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and _is_refused(scope, message["status"]):
                limited = _count_refusal(scope)
                if limited is not None:
                    replaced = True
                    await limited(scope, receive, send)
            if not replaced:
                await send(message)

        return await self._app(scope, receive, send_or_replace)


def _is_refused(scope: Scope, status: int) -> bool:
    if status == UNAUTHORIZED or STRANGER_KEY in scope["state"]:
        return True
    return status in UNKNOWN_STATUSES and not scope["path"].startswith(TOKEN_PREFIXES)


def _count_refusal(scope: Scope) -> PlainTextResponse | None:
    """Count a refusal of the client's address; return the answer that takes its place where there are too many."""
    try:
        resources_of(scope).refusal_limiter.acquire(peer_of(scope) or "")
    except RateLimitedError as error:
        headers = {"retry-after": str(error.retry_after), "connection": "close"}
        return PlainTextResponse("RATE_LIMITED", status_code=429, headers=headers)
    return None
