"""Serve a `userTags` operation that keeps nothing running: no task, no generator, no execution of its own.

While the client keeps up, each event is encoded once for all subscriptions that receive the same one, and pushed to the
socket at once. A task starts when the client is behind or an event must be executed, and ends when all is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import orjson
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation

from service.api.context import Context
from service.api.live.prerendered import prerendered
from service.api.live.push_extension import PushCallback
from service.api.live.request import SubscriptionRequest
from service.api.live.user_tags_encoder import UserTagsEncoder
from service.domain.feed.subscriber import Subscriber
from service.domain.input_rules import check_openid
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission

MESSAGE_END: Final = b"}}"


async def join_user_feed(request: SubscriptionRequest, context: Context) -> Subscriber | None:
    """Join the feed of one user and reserve one of the principal's open subscriptions.

    Return None on any error; the standard path then runs and reports it.
    """
    resources, principal = context.resources, context.principal
    try:
        check_openid(request.arguments["openid"])
        channel = await resources.channels.find(
            principal, parse_channel_gid(request.arguments["channelId"]), Permission.VIEW_USERS
        )
        resources.subscriptions.acquire(principal)
    except Exception:  # noqa: BLE001 - the standard path reports it
        return None
    try:
        return await resources.hub.join(channel.channel_id, request.arguments["openid"], request.arguments.get("after"))
    except BaseException as error:
        resources.subscriptions.release(principal)
        if isinstance(error, Exception):
            return None
        raise


class UserTagsSession:
    """Send the events of one subscription, from the first until it is closed."""

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
        """Send nothing more. Return the task that was sending, which has been cancelled, if there is one."""
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
        """Push all pending events, or start a task that sends them."""
        if self._closed:
            return
        mailbox = self._subscriber.mailbox
        while (update := mailbox.first) is not None:
            data = self._encoder.encode(update)
            if data is None or not self._push(self._message_start + data + MESSAGE_END):
                self._drain_task = asyncio.create_task(self._drain(), name="slow client")
                return
            mailbox.remove_first()
        self._listen()

    async def _drain(self) -> None:
        """Send the pending events at the client's pace, while the mailbox merges those that arrive."""
        mailbox = self._subscriber.mailbox
        try:
            while (update := mailbox.first) is not None:
                mailbox.remove_first()
                data = self._encoder.encode(update)
                if data is None:
                    self._context.reset_loaders()
                    result = await self._encoder.execute_event(update, self._context)
                else:
                    result = prerendered(data)
                await self._operation.send_next(result)
        except WebSocketDisconnected:
            return
        except Exception as error:  # noqa: BLE001 - an unexpected error ends this operation and no other
            await self._fail(self._operation, error)
            return
        self._drain_task = None
        self._listen()
