"""Answer a request before its body is read, and close the connection."""

import asyncio
from contextlib import suppress
from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service.api.errors import to_graphql_error
from service.api.transport.content_negotiation import media_type_for
from service.api.transport.etags import NO_STORE
from service.entities.errors import RateLimitedError, RequestError

# What is still on its way is thrown away for so long, and up to so many bytes.
LINGER_SECONDS: Final = 1.0
LINGER_BYTES: Final = 8_388_608


def refusal_response(error: RequestError, request: Request) -> Response:
    """Return a GraphQL error with the status 429 and Retry-After where there were too many requests, else with 401."""
    status, headers = 401, {"www-authenticate": "Bearer"}
    if isinstance(error, RateLimitedError):
        status, headers = 429, {"retry-after": str(error.retry_after)}
    return Response(
        orjson.dumps({"errors": [to_graphql_error(error).formatted]}),
        status_code=status,
        headers={"cache-control": NO_STORE, **headers},
        media_type=media_type_for(request.headers.get("accept")),
    )


async def answer_unread(response: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a response to a request whose body nobody reads, and then close the connection.

    The client has the whole answer at once. Its body is thrown away for a moment: otherwise the system would reset the
    connection, and a client that is still sending might never see the answer (RFC 9112 §9.6).
    """
    response.headers["connection"] = "close"
    if not _has_body(scope):
        await response(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": response.body, "more_body": True})
    with suppress(TimeoutError):
        async with asyncio.timeout(LINGER_SECONDS):
            await _throw_body_away(receive)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _throw_body_away(receive: Receive) -> None:
    thrown_away, more = 0, True
    while more and thrown_away < LINGER_BYTES:
        message = await receive()
        thrown_away += len(message.get("body", b""))
        more = message.get("more_body", False)


def _has_body(scope: Scope) -> bool:
    return any(
        (name == b"content-length" and value != b"0") or name == b"transfer-encoding"
        for name, value in scope["headers"]
    )
