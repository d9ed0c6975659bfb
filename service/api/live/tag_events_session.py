"""A `tagEvents` operation whose events are executed once for all panels with equal rights."""

from contextlib import aclosing
from typing import Any, cast

import orjson
from graphql import GraphQLError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation
from strawberry.types import ExecutionResult

from service.api.context import Context
from service.api.errors import coded
from service.api.live.request import Asked
from service.api.live.tag_events_encoder import PanelRendering
from service.domain.feed.tag_panel import panel_updates


async def show_panel(
    operation: Operation[Context, None], asked: Asked, context: Context, rendering: PanelRendering
) -> bool:
    """Tells until the operation is cancelled; False, and nothing is told, where something is refused or fails first."""
    services, told = context.services, False
    channel_id, after = asked.arguments.get("channelId"), asked.arguments.get("after")
    try:
        with services.subscriptions.one_more(context.principal):
            updates = panel_updates(context.runtime, services.hub, context.principal, channel_id, after)
            async with aclosing(updates):
                async for cursor, update in updates:
                    context.begin()
                    data = await rendering.event(update, cursor)
                    result = await rendering.executed(update, cursor, context) if data is None else written(data)
                    await operation.send_next(result)
                    told = True
    except WebSocketDisconnected:
        raise
    except Exception as error:  # noqa: BLE001 - said in the end, whatever it is
        if not told:
            return False
        failure = coded(GraphQLError(str(error), original_error=error), context)
        await operation.send_next(ExecutionResult(data=None, errors=[failure]))
    return True


def written(data: bytes) -> ExecutionResult:
    """A result whose data is JSON already."""
    return ExecutionResult(data=cast("dict[str, Any]", orjson.Fragment(data)), errors=None)
