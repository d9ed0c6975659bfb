"""Send a trial to an endpoint, or a delivery once more; the delivery loop of the workers carries both out."""

import secrets
from typing import Final

from service.domain.runtime import Runtime
from service.domain.webhooks.endpoints.auditing import record_act
from service.domain.webhooks.endpoints.deliveries import DELIVERY
from service.domain.webhooks.endpoints.lookup import find_endpoint, followed_channels
from service.entities.errors import ChannelNotBoundError, ConflictError, NotFoundError
from service.entities.principal import Principal
from service.entities.webhooks import DeliveryKey, WebhookDelivery, WebhookEndpoint, WebhookSwitch
from service.storage import webhooks

MESSAGE_ID_PREFIX: Final = "msg_"


async def send_trial(runtime: Runtime, principal: Principal, endpoint_id: int) -> WebhookDelivery:
    """Store a trial that is sent at once, as one of the endpoint's first channel, and return it before its attempt.

    Raises ForbiddenError, NotFoundError; ConflictError for an endpoint that is OFF or GONE; ChannelNotBoundError where
    the robot never bound a channel.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        endpoint = await find_endpoint(conn, principal, endpoint_id)
        _require_on(endpoint)
        channel_ids = await followed_channels(conn, endpoint)
        if not channel_ids:
            raise ChannelNotBoundError
        message_id = MESSAGE_ID_PREFIX + secrets.token_urlsafe(18)
        trial = await webhooks.insert_trial(conn, channel_ids[0], endpoint_id, message_id, runtime.clock())
        await record_act(conn, runtime, principal, "test_webhook", endpoint_id, channel_id=trial.channel_id)
    return trial


async def resend_delivery(runtime: Runtime, principal: Principal, key: DeliveryKey) -> WebhookDelivery:
    """Send a delivery once more, with its `webhook-id`; what its endpoint is told goes on as it is.

    Raises ForbiddenError, NotFoundError, and ConflictError for an endpoint that is OFF or GONE.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        endpoint = await find_endpoint(conn, principal, key.endpoint_id, sought=DELIVERY)
        if await webhooks.delivery(conn, key) is None or not endpoint.follows(key.channel_id):
            raise NotFoundError(DELIVERY)
        _require_on(endpoint)
        now = runtime.clock()
        again = await webhooks.resend_delivery(conn, key, now)
        # Where it is the one under way, it waits for the position's turn.
        await webhooks.retry_position(conn, key.channel_id, key.endpoint_id, now)
        await record_act(
            conn,
            runtime,
            principal,
            "resend_webhook_delivery",
            key.endpoint_id,
            channel_id=key.channel_id,
            after={"message_id": again.message_id},
        )
    return again


def _require_on(endpoint: WebhookEndpoint) -> None:
    if endpoint.switch is not WebhookSwitch.ON:
        raise ConflictError(f"The endpoint is {endpoint.switch}; enable it first.")
