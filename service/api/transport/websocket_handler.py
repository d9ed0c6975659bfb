"""graphql-transport-ws as its reference server speaks it, where Strawberry's handler stumbles.

Source: PROTOCOL.md of the npm package graphql-ws.
"""

import asyncio
import logging
from contextlib import aclosing, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol, cast

from graphql import GraphQLError
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.schema.schema import StreamResult
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler, Operation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)
from strawberry.types.execution import ExecutionResult, PreExecutionError

from service.api.context import Context
from service.api.errors import INTERNAL_ERROR_MESSAGE, to_graphql_error
from service.api.live.encoders import LiveEncoders
from service.api.live.push_extension import PUSH_EXTENSION
from service.api.live.request import SubscriptionRequest, parse_subscription
from service.api.live.tag_events_session import stream_tag_events
from service.api.live.user_tags_session import UserTagsSession, join_user_feed
from service.api.schema import FastPathSchema
from service.api.transport.trusted_documents import TrustedDocuments
from service.entities.errors import LimitExceededError, RateLimitedError, RequestError
from service.foundation.cancellation import cancel_and_wait

FORBIDDEN_CLOSE_CODE: Final = 4403
INTERNAL_ERROR_CLOSE_CODE: Final = 4500
USER_TAGS_FIELD, TAG_EVENTS_FIELD = "userTags", "tagEvents"

log = logging.getLogger(__name__)


class SocketView(Protocol):
    """The view a connection came in by."""

    trusted: TrustedDocuments
    encoders: LiveEncoders


class WebSocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection. Its token ends it, and each operation sees the present."""

    _expiry_timer: asyncio.TimerHandle | None = None
    _closing_task: asyncio.Task[None] | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._schema = cast("FastPathSchema", self.schema)
        self._encoders = cast("SocketView", self.view).encoders
        self._sessions: dict[str, UserTagsSession] = {}

    async def handle_message(self, message: Message) -> None:
        """A malformed message closes the socket with 4400, and a fault of ours with 4500, as the reference server does;
        Strawberry would drop it without a close frame.
        """
        protocol_error = find_protocol_error(message)
        if protocol_error is not None:
            await self.handle_invalid_message(protocol_error)
            return
        try:
            await super().handle_message(message)
        except WebSocketDisconnected:
            raise
        except Exception:
            log.exception("request %s failed", self.context.request_id)
            with suppress(RuntimeError, WebSocketDisconnected):
                await self.websocket.close(INTERNAL_ERROR_CLOSE_CODE, INTERNAL_ERROR_MESSAGE)

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        """Remembers to close the socket with 4403 when the token expires. A null payload is an absent one."""
        if message.get("payload", {}) is None:
            message = {"type": "connection_init"}
        await super().handle_connection_init(message)
        self.connection_init_timeout_task = None
        if self.connection_acknowledged and self._expiry_timer is None:
            self.context.connection_params = {}
            left = (self.context.principal.expires_at - datetime.now(UTC)).total_seconds()
            self._expiry_timer = asyncio.get_running_loop().call_later(max(0.0, left), self._on_token_expiry)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """What is refused of one operation before it is run has a code; whoever may not subscribe at all is closed."""
        operation_id = message["id"]
        if self.connection_acknowledged and operation_id not in self.operations:
            try:
                message = self._with_document_text(message)
            except RequestError as request_error:
                error = to_graphql_error(request_error).formatted
                await self.send_message({"id": operation_id, "type": "error", "payload": [error]})
                return
        await super().handle_subscribe(message)

    def _with_document_text(self, message: SubscribeMessage) -> SubscribeMessage:
        """With the text of a document that is named by its id."""
        limit = self.max_subscriptions_per_connection
        if limit is not None and len(self.operations) >= limit:
            raise LimitExceededError(f"At most {limit:,} operations of one connection may be open.")
        payload = cast("dict[str, Any]", message["payload"])
        trusted = cast("SocketView", self.view).trusted
        text = trusted.text_for(payload.get("query"), payload.get("documentId"), payload.get("extensions"))
        return cast("SubscribeMessage", {**message, "payload": {**payload, "query": text or ""}})

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Each operation has a context of its own: what one has loaded, a later one must not see."""
        context = replace(self.context)
        try:
            context.count_operation()
            request = parse_subscription(self._schema, operation, context.principal)
            if request is not None and await self._start_user_tags_session(operation, request, context):
                return
            if request is None or not await self._stream_tag_events(operation, request, context):
                results = await self.schema.stream(
                    operation.query,
                    variable_values=operation.variables,
                    context_value=context,
                    operation_name=operation.operation_name,
                )
                async with aclosing(results):
                    await self._send_results(operation, results)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except RateLimitedError as request_error:
            await operation.send_initial_errors([to_graphql_error(request_error)])
        except Exception as error:
            await self.fail_operation(operation, error)
            raise

    async def fail_operation(self, operation: Operation[Context, None], error: Exception) -> None:
        """What was not foreseen ends its operation."""
        await self.handle_task_exception(error)
        with suppress(Exception):
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        await self.cleanup_operation(operation.id)

    async def _start_user_tags_session(
        self, operation: Operation[Context, None], request: SubscriptionRequest, context: Context
    ) -> bool:
        """False where the operation is not one of a page whose events are written."""
        if request.field != USER_TAGS_FIELD:
            return False
        name, variables = operation.operation_name, operation.variables
        encoder = self._encoders.user_tags.encoder_for(operation.query, name, variables)
        subscriber = None if encoder is None else await join_user_feed(request, context)
        if encoder is None or subscriber is None:
            return False
        extensions = cast("ASGIWebSocketAdapter", self.websocket).ws.scope.get("extensions", {})
        push = extensions.get(PUSH_EXTENSION, _cannot_push)
        # Nothing reads these again, and thousands of pages would hold their copies.
        operation.query, operation.variables = "", None
        self._sessions[operation.id] = UserTagsSession(
            operation, encoder, context, subscriber, push, self.fail_operation
        )
        return True

    async def _stream_tag_events(
        self, operation: Operation[Context, None], request: SubscriptionRequest, context: Context
    ) -> bool:
        """False where the operation is no panel's, or is refused."""
        if request.field != TAG_EVENTS_FIELD:
            return False
        name, variables = operation.operation_name, operation.variables
        encoder = self._encoders.tag_events.encoder_for(operation.query, name, variables or {}, context)
        return await stream_tag_events(operation, request, context, encoder)

    async def cleanup_operation(self, operation_id: str) -> None:
        session = self._sessions.pop(operation_id, None)
        if session is not None:
            session.close()
        await super().cleanup_operation(operation_id)

    async def _send_results(self, operation: Operation[Context, None], results: StreamResult) -> None:
        """A subscription that is refused before its first event ends with `error`, like any other refusal."""
        first = True
        async for result in results:
            if not isinstance(result, ExecutionResult):
                raise TypeError("the schema knows no incremental delivery")
            errors = result.errors or []
            if first and errors and (isinstance(result, PreExecutionError) or not any(error.path for error in errors)):
                await operation.send_initial_errors(errors)
                return
            await operation.send_next(result)
            first = False

    async def shutdown(self) -> None:
        if self._expiry_timer is not None:
            self._expiry_timer.cancel()
        drain_tasks = [session.close() for session in self._sessions.values()]
        await cancel_and_wait(*(task for task in (self._closing_task, *drain_tasks) if task is not None))
        await super().shutdown()

    def _on_token_expiry(self) -> None:
        self._closing_task = asyncio.create_task(self._close_expired(), name="token expiry")

    async def _close_expired(self) -> None:
        with suppress(RuntimeError, WebSocketDisconnected):
            await self.websocket.close(FORBIDDEN_CLOSE_CODE, "Token expired")

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """What is wrong with one operation is that operation's error; its siblings live on."""
        del error
        return None


def _cannot_push(text: bytes) -> bool:
    """For a server that cannot push."""
    del text
    return False


def find_protocol_error(message: object) -> str | None:
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
    return _find_payload_error(rest.get("payload")) if kind == "subscribe" else None


def _find_payload_error(payload: object) -> str | None:
    match payload:
        case {"query": str(), **rest}:
            pass
        case {"documentId": str(), **rest} | {"extensions": {"documentId": _} | {"persistedQuery": _}, **rest}:
            pass
        case _:
            return "subscribe needs a payload with a query"
    if not isinstance(rest.get("query"), str | None) or not isinstance(rest.get("documentId"), str | None):
        return "query and documentId must be strings"
    if not isinstance(rest.get("variables"), dict | None):
        return "variables must be an object"
    if not isinstance(rest.get("operationName"), str | None):
        return "operationName must be a string"
    return None if isinstance(rest.get("extensions"), dict | None) else "extensions must be an object"
