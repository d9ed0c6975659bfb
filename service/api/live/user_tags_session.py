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
from service.api.errors import coded
from service.api.live.push_extension import Push
from service.api.live.request import Asked
from service.api.live.tag_events_session import written
from service.api.live.user_tags_encoder import Rendering
from service.domain.feed.subscriber import Subscriber
from service.domain.input_rules import check_openids
from service.entities.feed import UserTagsUpdate

END: Final = b"}}"


async def join(asked: Asked, context: Context) -> Subscriber | None:
    """None where something is refused or failed, which the long way meets again, and says."""
    services, holder = context.services, context.principal
    try:
        check_openids([asked.arguments["openid"]], "openid")
        channel = await services.channels.find(holder, asked.arguments["channelId"])
        services.subscriptions.take(holder)
    except Exception:  # noqa: BLE001 - whatever it is
        return None
    try:
        return await services.hub.join(channel.channel_id, asked.arguments["openid"], asked.arguments.get("after"))
    except BaseException as error:
        services.subscriptions.give_back(holder)
        if isinstance(error, Exception):
            return None
        raise


class LivePage:
    """One subscription of one connection, from its first event until it is closed."""

    __slots__ = (
        "_closed",
        "_context",
        "_fail",
        "_head",
        "_operation",
        "_push",
        "_rendering",
        "_subscriber",
        "_writing",
    )

    def __init__(
        self,
        operation: Operation[Context, None],
        rendering: Rendering,
        context: Context,
        subscriber: Subscriber,
        push: Push,
        fail: Callable[[Operation[Context, None], Exception], Awaitable[None]],
    ) -> None:
        self._operation = operation
        self._rendering = rendering
        self._context = context
        self._subscriber = subscriber
        self._push = push
        self._fail = fail
        self._head = b'{"id":' + orjson.dumps(operation.id) + b',"type":"next","payload":{"data":'
        self._writing: asyncio.Task[None] | None = None
        self._closed = False
        self._listen()

    def close(self) -> asyncio.Task[None] | None:
        """Says nothing more; the task in the answer, if any, has been cancelled."""
        if not self._closed:
            self._closed = True
            self._context.services.hub.leave(self._subscriber)
            self._context.services.subscriptions.give_back(self._context.principal)
            if self._writing is not None:
                self._writing.cancel()
        return self._writing

    def _listen(self) -> None:
        self._subscriber.mailbox.on_arrival(self._arrived)

    def _arrived(self) -> None:
        self._context.services.hub.rounds.add(self._tell)

    def _tell(self) -> None:
        """Sends all that waits, or leaves it to a task."""
        if self._closed:
            return
        mailbox = self._subscriber.mailbox
        while (update := mailbox.first) is not None:
            data = self._rendering.event(update)
            if data is None or not self._push(self._head + data + END):
                self._writing = asyncio.create_task(self._write(), name="slow page")
                return
            mailbox.drop_first()
        self._listen()

    async def _write(self) -> None:
        """Waits for the reader, while the mailbox makes fewer events of what comes."""
        mailbox = self._subscriber.mailbox
        try:
            while (update := mailbox.first) is not None:
                mailbox.drop_first()
                data = self._rendering.event(update)
                await self._operation.send_next(await self._executed(update) if data is None else written(data))
        except WebSocketDisconnected:
            return
        except Exception as error:  # noqa: BLE001 - what was not foreseen ends this operation and no other
            await self._fail(self._operation, error)
            return
        self._writing = None
        self._listen()

    async def _executed(self, update: UserTagsUpdate) -> ExecutionResult:
        self._context.begin()
        result = await self._rendering.executed(update, self._context)
        errors = [coded(error, self._context) for error in result.errors or ()]
        return ExecutionResult(data=result.data, errors=errors or None)
