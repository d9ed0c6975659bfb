"""Resolve `replayWebhook`, `testWebhook` and `resendWebhookDelivery`."""

from datetime import datetime
from typing import Annotated

import strawberry

from service.api.context import Info
from service.api.guards.permissions import needs
from service.api.operations.webhook_endpoints import WebhookEndpointId, WebhookEndpointPayload
from service.api.types.primitives import ChannelId
from service.api.types.webhook import WebhookDelivery, WebhookEndpoint, endpoint_number, parse_delivery_gid
from service.domain.webhooks.endpoints import sending_again
from service.domain.webhooks.endpoints.replaying import ReplayFrom, replay
from service.entities.ids import parse_channel_gid
from service.entities.principal import Permission


@strawberry.type
class WebhookDeliveryMutations:
    @strawberry.mutation(
        description=(
            "Tells an endpoint again, in order, of everything in a channel after an instant or after a cursor; a "
            "`feed.reset` comes first where the log no longer reaches back so far. What it was not told yet comes with "
            "it. For creators and admins (MANAGE_WEBHOOKS). Answers BAD_USER_INPUT for both or none of them, for an "
            "instant ahead, a cursor of another channel and a channel that the endpoint is not told of, or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def replay_webhook(
        self,
        info: Info,
        id: WebhookEndpointId,
        channel_id: ChannelId,
        since: Annotated[
            datetime | None,
            strawberry.argument(description="Instant after which everything is told again; null with `cursor`."),
        ] = None,
        cursor: Annotated[
            str | None,
            strawberry.argument(
                description=(
                    "`cursor` of an event or a position, after which everything is told again; null with `since`."
                )
            ),
        ] = None,
    ) -> WebhookEndpointPayload | None:
        told = await replay(
            info.context.runtime,
            info.context.actor,
            endpoint_number(id),
            parse_channel_gid(channel_id),
            ReplayFrom(since, cursor),
        )
        return WebhookEndpointPayload(endpoint=WebhookEndpoint.of(told))

    @strawberry.mutation(
        description=(
            "Sends an event of type `webhook.test` to an endpoint at once, and moves no position. It is answered "
            "before the attempt: `node` finds the delivery again, with what became of it. For creators and admins "
            "(MANAGE_WEBHOOKS). Answers CONFLICT for an endpoint that is OFF or GONE, CHANNEL_NOT_BOUND where no "
            "channel was ever bound, LIMIT_EXCEEDED while 20 wait to be sent by hand, or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def test_webhook(self, info: Info, id: WebhookEndpointId) -> WebhookDelivery | None:
        trial = await sending_again.send_trial(info.context.runtime, info.context.actor, endpoint_number(id))
        return WebhookDelivery.of(trial)

    @strawberry.mutation(
        description=(
            "Sends a delivery once more, with its `webhook-id` and its events, and moves no position. For creators and "
            "admins (MANAGE_WEBHOOKS). Answers CONFLICT for an endpoint that is OFF or GONE and for events that the "
            "log no longer holds, LIMIT_EXCEEDED while 20 of the channel wait to be sent by hand, or NOT_FOUND."
        ),
        extensions=[needs(Permission.MANAGE_WEBHOOKS)],
    )
    async def resend_webhook_delivery(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Id of the delivery.")],
    ) -> WebhookDelivery | None:
        again = await sending_again.resend_delivery(info.context.runtime, info.context.actor, parse_delivery_gid(id))
        return WebhookDelivery.of(again)
