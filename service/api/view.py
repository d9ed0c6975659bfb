"""The GraphQL endpoint: HTTP, and WebSockets that speak graphql-transport-ws."""

import asyncio
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, Message
from strawberry.types.execution import ExecutionResult, PreExecutionError
from strawberry.types.unset import UnsetType

from service.api.context import Context, Services
from service.api.tokens import TokenVerifier, bearer_token
from service.entities.errors import UnauthenticatedError

FORBIDDEN: Final = 4403
INIT_TIMEOUT: Final = timedelta(seconds=10)
MOST_SUBSCRIPTIONS: Final = 100


class TransportHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """graphql-transport-ws as its reference server speaks it, where Strawberry's handler stumbles.

    Source: PROTOCOL.md of the npm package graphql-ws.
    """

    _expiry: asyncio.Task[None] | None = None

    async def handle_message(self, message: Message) -> None:
        """A malformed message closes the socket with 4400; Strawberry would drop it without a close frame."""
        fault = fault_in(message)
        if fault is None:
            await super().handle_message(message)
        else:
            await self.handle_invalid_message(fault)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Remembers to close the socket with 4403 when the token expires. A null payload is an absent one."""
        if message.get("payload", {}) is None:
            message = {"type": "connection_init"}
        await super().handle_connection_init(message)
        if self.connection_acknowledged and self._expiry is None:
            expires_at = self.context.principal.expires_at
            self._expiry = asyncio.create_task(self._close_at(expires_at), name="token expiry")

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """A query late in the life of a connection must not see what an earlier one loaded."""
        self.context.begin()
        await super().run_operation(operation)

    async def _send_result_stream(self, operation: Operation[Context, None], result_source: StreamResult) -> None:
        """A subscription that is refused before its first event ends with `error`, like any other refusal."""
        first = await anext(result_source, None)
        errors = first.errors or [] if isinstance(first, ExecutionResult) else []
        if errors and (isinstance(first, PreExecutionError) or not any(error.path for error in errors)):
            await operation.send_initial_errors(errors)
        elif isinstance(first, ExecutionResult):
            await operation.send_next(first)
            await super()._send_result_stream(operation, result_source)

    async def shutdown(self) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
            with suppress(asyncio.CancelledError):
                await self._expiry
        await super().shutdown()

    async def _close_at(self, expires_at: datetime) -> None:
        await asyncio.sleep(max(0.0, (expires_at - datetime.now(UTC)).total_seconds()))
        with suppress(RuntimeError, WebSocketDisconnected):
            await self.websocket.close(FORBIDDEN, "Token expired")

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """What is wrong with one operation is that operation's error; its siblings live on."""
        del error
        return None


class GraphQLView(GraphQL[Context, None]):
    """Knows who asks: by the Authorization header, or on a WebSocket by the payload of `connection_init`."""

    graphql_transport_ws_handler_class = TransportHandler

    def __init__(
        self, schema: strawberry.Schema, services: Services, verifier: TokenVerifier, *, production: bool
    ) -> None:
        super().__init__(
            schema,
            graphql_ide=None if production else "graphiql",
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            connection_init_wait_timeout=INIT_TIMEOUT,
            max_subscriptions_per_connection=MOST_SUBSCRIPTIONS,
            # Tokens, not cookies, say who asks: a page of another origin has nothing of the user's to abuse.
            allowed_origins=("*",),
        )
        self._services = services
        self._verifier = verifier

    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        request_id = uuid.uuid4().hex
        if isinstance(response, Response):
            response.headers["x-request-id"] = request_id
        context = Context(self._services, request_id)
        await self._identify(context, bearer_token(request.headers.get("authorization")))
        return context

    async def on_ws_connect(self, context: Context) -> UnsetType | dict[str, object] | None:
        """Refuses a connection without a valid token with 4403."""
        token = _token_in(context.connection_params)
        if token is not None:
            await self._identify(context, token)
        if context.holder is None:
            raise ConnectionRejectionError
        return await super().on_ws_connect(context)

    def encode_json(self, data: object) -> str:
        """Text, because bytes would make Strawberry send binary frames."""
        return orjson.dumps(data).decode()

    def decode_json(self, data: str | bytes) -> Any:
        """Raises a JSONDecodeError for anything that is not JSON, however deep."""
        return orjson.loads(data)

    async def _identify(self, context: Context, token: str | None) -> None:
        if token is None:
            return
        try:
            context.holder = await self._verifier.verify(token)
        except UnauthenticatedError as error:
            context.holder, context.refusal = None, error


def fault_in(message: object) -> str | None:
    """What makes a message none of graphql-transport-ws; None when it is one, of a known type or not."""
    match message:
        case {"type": str(kind), **rest}:
            pass
        case _:
            return "Message is not an object with a type"
    if kind not in {"subscribe", "complete"}:
        payload = rest.get("payload")
        return None if payload is None or isinstance(payload, dict) else f"The payload of {kind} must be an object"
    match rest.get("id"):
        case str(text) if text:
            pass
        case _:
            return f"{kind} needs a non-empty string as its id"
    return _fault_in_operation(rest.get("payload")) if kind == "subscribe" else None


def _fault_in_operation(payload: object) -> str | None:
    match payload:
        case {"query": str(), **rest}:
            pass
        case _:
            return "subscribe needs a payload with a query"
    if not isinstance(rest.get("variables"), dict | None):
        return "variables must be an object"
    if not isinstance(rest.get("operationName"), str | None):
        return "operationName must be a string"
    return None if isinstance(rest.get("extensions"), dict | None) else "extensions must be an object"


def _token_in(payload: Mapping[str, object]) -> str | None:
    """`{"Authorization": "Bearer …"}` in any case, or `{"token": "…"}`."""
    for name, value in payload.items():
        if isinstance(value, str) and name.lower() == "authorization":
            return bearer_token(value) or ""
        if isinstance(value, str) and name == "token":
            return value
    return None
