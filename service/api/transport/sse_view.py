"""Serve subscriptions as server-sent events: the distinct connections mode of graphql-sse (PROTOCOL.md there).

The cursor of an event is also its id, so that clients which know `Last-Event-ID` resume by themselves.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from datetime import UTC, datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.http import GraphQLHTTPResponse
from strawberry.http.streaming import JSONEncoder, SSETransport
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL

from service.api.context import Context
from service.api.errors import to_graphql_error
from service.api.schema import FastPathSchema
from service.api.transport.content_negotiation import prefers_event_stream
from service.api.transport.http_view import GraphQLView
from service.api.transport.trusted_documents import TrustedDocuments
from service.auth.tokens import TokenVerifier
from service.entities.errors import UnauthenticatedError
from service.foundation.settings import Settings

LAST_EVENT_ID: Final = "last-event-id"


class CursorSSETransport(SSETransport):
    """Send the cursor of an event as its id, if the operation selects it."""

    def accepts(self, accept: str) -> bool:
        """Tell whether the client prefers a stream of events."""
        return prefers_event_stream(accept)

    def encode_next(self, response: GraphQLHTTPResponse, encode_json: JSONEncoder) -> str:
        """Return an answer as an event, with its id."""
        event = super().encode_next(response, encode_json)
        for field in (response.get("data") or {}).values():
            match field:
                case {"cursor": str(cursor)}:
                    return f"id: {cursor}\r\n{event}"
        return event


class EventStreamView(GraphQLView):
    """Serve `/graphql/stream`: Strawberry takes the protocol from the view, so this one has a path of its own."""

    stream_transport_classes_by_protocol = {GRAPHQL_SSE_PROTOCOL: CursorSSETransport}  # noqa: RUF012 - as Strawberry has it

    def __init__(
        self, schema: FastPathSchema, settings: Settings, verifier: TokenVerifier, trusted: TrustedDocuments
    ) -> None:
        super().__init__(schema, settings, verifier, trusted)
        pings = settings.client_limits.stream_ping_every
        self._stream_transport_map = {CursorSSETransport.protocol: CursorSSETransport(pings.total_seconds())}
        self.protocols = (GRAPHQL_SSE_PROTOCOL,)
        self.graphql_ide = None

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Return a context that knows the last event that the client has received."""
        context = await super().get_context(request, response)
        context.resume_after = request.headers.get(LAST_EVENT_ID)
        request.state.context = context
        return context

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        """Return a stream that ends when the token expires, with UNAUTHENTICATED as its last event."""
        context: Context = request.state.context
        principal = context.principal_or_none
        if principal is None:
            return await super().create_streaming_response(request, stream, sub_response, headers)
        transport = CursorSSETransport()
        expired = to_graphql_error(UnauthenticatedError("The token has expired.")).formatted
        last = transport.encode_next({"data": None, "errors": [expired]}, self.encode_json_string)

        async def until_the_token_expires() -> AsyncGenerator[str, None]:
            async for part in _take_until(stream(), principal.expires_at):
                yield part
            if datetime.now(UTC) >= principal.expires_at:
                yield last + transport.encode_complete()

        return await super().create_streaming_response(request, until_the_token_expires, sub_response, headers)


async def _take_until(parts: AsyncIterator[str], end: datetime) -> AsyncIterator[str]:
    """Yield parts until an instant."""
    left = (end - datetime.now(UTC)).total_seconds()
    deadline = asyncio.get_running_loop().time() + left
    try:
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    part = await anext(parts)
            except (TimeoutError, StopAsyncIteration):
                return
            yield part
    finally:
        if isinstance(parts, AsyncGenerator):
            await parts.aclose()
