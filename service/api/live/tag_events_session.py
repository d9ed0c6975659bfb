"""Serve a `tagEvents` operation whose events are executed once for all panels with equal rights."""

from contextlib import aclosing

from graphql import GraphQLError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation
from strawberry.types import ExecutionResult

from service.api.context import Context
from service.api.errors import mask_error
from service.api.live.prerendered import prerendered
from service.api.live.request import SubscriptionRequest
from service.api.live.tag_events_encoder import TagEventsEncoder
from service.domain.feed.tag_panel import panel_updates
from service.entities.ids import parse_channel_gid


async def stream_tag_events(
    operation: Operation[Context, None], request: SubscriptionRequest, context: Context, encoder: TagEventsEncoder
) -> bool:
    """Send events until the operation is cancelled or fails; an error after the first event is sent as the last one.

    Return False, with nothing sent, if it is refused or fails before its first event; the standard path then runs and
    reports it.
    """
    resources, started = context.resources, False
    channel_gid, after = request.arguments.get("channelId"), request.arguments.get("after")
    try:
        with resources.subscriptions.reserve(context.principal):
            channel_id = None if channel_gid is None else parse_channel_gid(channel_gid)
            updates = panel_updates(context.runtime, resources.hub, context.principal, channel_id, after)
            async with aclosing(updates):
                async for cursor, update in updates:
                    context.reset_loaders()
                    data = await encoder.encode(update, cursor)
                    result = await encoder.execute_event(update, cursor, context) if data is None else prerendered(data)
                    await operation.send_next(result)
                    started = True
    except WebSocketDisconnected:
        raise
    except Exception as error:  # noqa: BLE001 - reported to the client, whatever it is
        if not started:
            return False
        masked = mask_error(GraphQLError(str(error), original_error=error), context)
        await operation.send_next(ExecutionResult(data=None, errors=[masked]))
    return True
