"""A `userTags` operation that keeps nothing running: no task, no generator, no execution of its own.

While a page's reader keeps up, each event is written once for all pages that get the same one, and handed to the socket
at once. A task begins when the reader is behind, or an event must be executed after all, and ends when all is told.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation
from strawberry.types import ExecutionResult

from service.api.context import Context
from service.api.errors import mask_error
from service.api.live.push_extension import PushCallback
from service.api.live.request import SubscriptionRequest
from service.api.live.tag_events_session import prerendered
from service.api.live.user_tags_encoder import UserTagsEncoder
from service.domain.feed.subscriber import Subscriber
from service.domain.input_rules import check_openid
from service.entities.feed import UserTagsUpdate
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission

MESSAGE_END: Final = b"}}"


async def join_user_feed(request: SubscriptionRequest, context: Context) -> Subscriber | None:
    """None where something is refused or failed, which the long way meets again, and says."""
    resources, principal = context.resources, context.principal
    try:
        check_openid(request.arguments["openid"])
        channel = await resources.channels.find(
            principal, parse_channel_gid(request.arguments["channelId"]), Permission.VIEW_USERS
        )
        resources.subscriptions.acquire(principal)
    except Exception:  # noqa: BLE001 - whatever it is
        return None
    try:
        return await resources.hub.join(channel.channel_id, request.arguments["openid"], request.arguments.get("after"))
    except BaseException as error:
        resources.subscriptions.release(principal)
        if isinstance(error, Exception):
            return None
        raise


class UserTagsSession:
    """One subscription of one connection, from its first event until it is closed."""

    __slots__ = (
        "_closed",
        "_context",
        "_drain_task",
        "_encoder",
        "_fail",
        "_message_start",
        "_operation",
        "_push",
        "_subscriber",
    )

    def __init__(
        self,
        operation: Operation[Context, None],
        encoder: UserTagsEncoder,
        context: Context,
        subscriber: Subscriber,
        push: PushCallback,
        fail: Callable[[Operation[Context, None], Exception], Awaitable[None]],
    ) -> None:
        self._operation = operation
        self._encoder = encoder
        self._context = context
        self._subscriber = subscriber
        self._push = push
        self._fail = fail
        self._message_start = b'{"id":' + orjson.dumps(operation.id) + b',"type":"next","payload":{"data":'
        self._drain_task: asyncio.Task[None] | None = None
        self._closed = False
        self._listen()

    def close(self) -> asyncio.Task[None] | None:
        """Says nothing more; the task in the answer, if any, has been cancelled."""
        if not self._closed:
            self._closed = True
            self._context.resources.hub.leave(self._subscriber)
            self._context.resources.subscriptions.release(self._context.principal)
            if self._drain_task is not None:
                self._drain_task.cancel()
        return self._drain_task

    def _listen(self) -> None:
        self._subscriber.mailbox.on_arrival(self._on_arrival)

    def _on_arrival(self) -> None:
        self._context.resources.hub.turns.add(self._send_pending)

    def _send_pending(self) -> None:
        """Sends all that waits, or leaves it to a task."""
        if self._closed:
            return
        mailbox = self._subscriber.mailbox
        while (update := mailbox.first) is not None:
            data = self._encoder.encode(update)
            if data is None or not self._push(self._message_start + data + MESSAGE_END):
                self._drain_task = asyncio.create_task(self._drain(), name="slow page")
                return
            mailbox.remove_first()
        self._listen()

    async def _drain(self) -> None:
        """Waits for the reader, while the mailbox makes fewer events of what comes."""
        mailbox = self._subscriber.mailbox
        try:
            while (update := mailbox.first) is not None:
                mailbox.remove_first()
                data = self._encoder.encode(update)
                await self._operation.send_next(
                    await self._execute_event(update) if data is None else prerendered(data)
                )
        except WebSocketDisconnected:
            return
        except Exception as error:  # noqa: BLE001 - what was not foreseen ends this operation and no other
            await self._fail(self._operation, error)
            return
        self._drain_task = None
        self._listen()

    async def _execute_event(self, update: UserTagsUpdate) -> ExecutionResult:
        self._context.reset_loaders()
        result = await self._encoder.execute_event(update, self._context)
        errors = [mask_error(error, self._context) for error in result.errors or ()]
        return ExecutionResult(data=result.data, errors=errors or None)
