"""Speak graphql-transport-ws as its reference server does, where Strawberry's handler differs.

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
from service.api.engine.fast_path import hold_many_values
from service.api.errors import to_graphql_error
from service.api.live.encoders import LiveEncoders
from service.api.live.push_extension import ADMIT_EXTENSION, PUSH_EXTENSION
from service.api.live.request import SubscriptionRequest, parse_subscription
from service.api.live.tag_events_encoder import TAG_EVENTS_FIELD
from service.api.live.tag_events_session import stream_tag_events
from service.api.live.user_tags_session import UserTagsSession, join_user_feed
from service.api.schema import FastPathSchema
from service.api.transport.trusted_documents import TrustedDocuments
from service.api.transport.websocket_messages import find_protocol_error
from service.entities.errors import INTERNAL_ERROR_MESSAGE, LimitExceededError, RequestError
from service.foundation.cancellation import cancel_and_wait

TRY_AGAIN_LATER_CLOSE_CODE: Final = 1013
FORBIDDEN_CLOSE_CODE: Final = 4403
INTERNAL_ERROR_CLOSE_CODE: Final = 4500

log = logging.getLogger(__name__)


class SocketView(Protocol):
    """Describe what a handler needs of the view that accepted its connection."""

    trusted: TrustedDocuments
    encoders: LiveEncoders


class WebSocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Serve one connection: it is closed when its token expires, and each operation sees the present."""

    _expiry_timer: asyncio.TimerHandle | None = None
    _closing_task: asyncio.Task[None] | None = None
    _is_counted = False

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._schema = cast("FastPathSchema", self.schema)
        self._encoders = cast("SocketView", self.view).encoders
        self._sessions: dict[str, UserTagsSession] = {}

    async def handle_message(self, message: Message) -> None:
        """Handle a message; close the socket with 4400 if it is malformed, and with 4500 on an unexpected error.

        The reference server does so; Strawberry would drop the connection without a close frame.
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
        """Accept a connection with a valid token, and close it with 4403 when the token expires.

        A null payload is an absent one.
        """
        if message.get("payload", {}) is None:
            message = {"type": "connection_init"}
        await super().handle_connection_init(message)
        self.connection_init_timeout_task = None
        if self.connection_acknowledged and self._expiry_timer is None:
            self.context.connection_params = {}
            if not self._reserve_socket():
                await self.websocket.close(TRY_AGAIN_LATER_CLOSE_CODE, "Too many connections")
                return
            left = (self.context.principal.expires_at - datetime.now(UTC)).total_seconds()
            self._expiry_timer = asyncio.get_running_loop().call_later(max(0.0, left), self._on_token_expiry)

    def _reserve_socket(self) -> bool:
        """Count this connection of its principal until `shutdown`; False if too many are open. Accept long messages."""
        try:
            self.context.resources.sockets.acquire(self.context.principal)
        except LimitExceededError:
            return False
        self._is_counted = True
        scope = cast("ASGIWebSocketAdapter", self.websocket).ws.scope
        scope.get("extensions", {}).get(ADMIT_EXTENSION, _do_nothing)()
        return True

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        """Start an operation, or send the error, with its code, that refuses it.

        A connection that has not been acknowledged is closed.
        """
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
        """Return the message with the text of a document that it names by its id.

        Raises LimitExceededError if too many operations are open, and RequestError for a document that is not trusted.
        """
        limit = self.max_subscriptions_per_connection
        if limit is not None and len(self.operations) >= limit:
            raise LimitExceededError(f"At most {limit:,} operations of one connection may be open.")
        payload = cast("dict[str, Any]", message["payload"])
        trusted = cast("SocketView", self.view).trusted
        text = trusted.text_for(payload.get("query"), payload.get("documentId"), payload.get("extensions"))
        return cast("SubscribeMessage", {**message, "payload": {**payload, "query": text or ""}})

    async def run_operation(self, operation: Operation[Context, None]) -> None:
        """Run an operation by the shortest path that serves it.

        Each operation has a context of its own: a later one must not see what it has loaded.
        """
        context = replace(self.context)
        try:
            context.count_operation()
            await self._schema.prepare(operation.query, context)
            request = None
            # No subscription takes more; the schema refuses one that has them.
            if not hold_many_values(operation.variables):
                request = parse_subscription(self._schema, operation, context.principal)
            context.charge(0 if request is None else request.values)
            if request is not None and await self._start_user_tags_session(operation, request, context):
                return
            if request is None or not await self._stream_tag_events(operation, request, context):
                await self._run_by_strawberry(operation, context)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except RequestError as request_error:
            await operation.send_initial_errors([to_graphql_error(request_error)])
        except Exception as error:
            await self.fail_operation(operation, error)
            raise

    async def fail_operation(self, operation: Operation[Context, None], error: Exception) -> None:
        """Log an unexpected error and complete its operation."""
        await self.handle_task_exception(error)
        with suppress(Exception):
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        await self.cleanup_operation(operation.id)

    async def _start_user_tags_session(
        self, operation: Operation[Context, None], request: SubscriptionRequest, context: Context
    ) -> bool:
        """Start a session that pushes encoded events; False if the operation is none of those, or is refused."""
        encoder = self._encoders.user_tags.encoder_for(request, context.language)
        subscriber = None if encoder is None else await join_user_feed(request, context)
        if encoder is None or subscriber is None:
            return False
        extensions = cast("ASGIWebSocketAdapter", self.websocket).ws.scope.get("extensions", {})
        push = extensions.get(PUSH_EXTENSION, _cannot_push)
        # Nothing reads these again, and thousands of subscriptions would hold their copies.
        operation.query, operation.variables = "", None
        self._sessions[operation.id] = UserTagsSession(
            operation, encoder, context, subscriber, push, self.fail_operation
        )
        return True

    async def _stream_tag_events(
        self, operation: Operation[Context, None], request: SubscriptionRequest, context: Context
    ) -> bool:
        """Send the events of a tag panel; False if the operation is another one, or is refused."""
        if request.field != TAG_EVENTS_FIELD:
            return False
        encoder = self._encoders.tag_events.encoder_for(request, context)
        return await stream_tag_events(operation, request, context, encoder)

    async def _run_by_strawberry(self, operation: Operation[Context, None], context: Context) -> None:
        results = await self.schema.stream(
            operation.query,
            variable_values=operation.variables,
            context_value=context,
            operation_name=operation.operation_name,
        )
        async with aclosing(results):
            await self._send_results(operation, results)

    async def cleanup_operation(self, operation_id: str) -> None:
        """Close the session of an operation, if it has one, and cancel its task."""
        session = self._sessions.pop(operation_id, None)
        if session is not None:
            session.close()
        await super().cleanup_operation(operation_id)

    async def _send_results(self, operation: Operation[Context, None], results: StreamResult) -> None:
        """Send results as they come; a subscription that is refused before its first event ends with `error`."""
        first = True
        async for result in results:
            if not isinstance(result, ExecutionResult):
                raise TypeError("The schema does not support incremental delivery.")
            errors = result.errors or []
            if first and errors and (isinstance(result, PreExecutionError) or not any(error.path for error in errors)):
                await operation.send_initial_errors(errors)
                return
            await operation.send_next(result)
            first = False

    async def shutdown(self) -> None:
        """Cancel the timer and all tasks of the connection."""
        if self._is_counted:
            self._is_counted = False
            self.context.resources.sockets.release(self.context.principal)
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
        """Never close the connection: an error of one operation ends that operation alone."""
        del error
        return None


def _cannot_push(text: bytes) -> bool:
    """Stand in for the push of a server that has none."""
    del text
    return False


def _do_nothing() -> None:
    """Stand in for the admission to a server that has none."""
