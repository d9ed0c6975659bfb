"""Send a trial to an endpoint, or a delivery once more; the delivery loop of the workers carries both out."""

from typing import Final

from service.domain.change_feed.reading import read_feed
from service.domain.runtime import Runtime
from service.domain.webhooks.delivery.calls import new_message_id
from service.domain.webhooks.endpoints.auditing import record_act
from service.domain.webhooks.endpoints.deliveries import DELIVERY
from service.domain.webhooks.endpoints.lookup import find_endpoint, followed_channels
from service.entities.errors import ChannelNotBoundError, ConflictError, LimitExceededError, NotFoundError
from service.entities.principal import Principal
from service.entities.webhooks import DeliveryKey, DeliveryKind, WebhookDelivery, WebhookEndpoint, WebhookSwitch
from service.storage import webhook_sending, webhooks
from service.storage.database.pool import Connection

MAX_WAITING: Final = 20


async def send_trial(runtime: Runtime, principal: Principal, endpoint_id: int) -> WebhookDelivery:
    """Store a trial that is sent at once, as one of the endpoint's first channel, and return it before its attempt.

    Raises ForbiddenError, NotFoundError; ConflictError for an endpoint that is OFF or GONE; ChannelNotBoundError where
    the robot never bound a channel; LimitExceededError while 20 wait already.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        endpoint = await find_endpoint(conn, principal, endpoint_id)
        _require_on(endpoint)
        channel_ids = await followed_channels(conn, endpoint)
        if not channel_ids:
            raise ChannelNotBoundError
        await _require_room(conn, channel_ids[0], endpoint_id)
        trial = await webhooks.insert_trial(conn, channel_ids[0], endpoint_id, new_message_id(), runtime.clock())
        await record_act(conn, runtime, principal, "test_webhook", endpoint_id, channel_id=trial.channel_id)
    return trial


async def resend_delivery(runtime: Runtime, principal: Principal, key: DeliveryKey) -> WebhookDelivery:
    """Send a delivery once more, with its `webhook-id`; what its endpoint is told goes on as it is.

    Raises ForbiddenError, NotFoundError; ConflictError for an endpoint that is OFF or GONE, and for events that the log
    no longer holds; LimitExceededError while 20 of the channel wait already.
    """
    await _require_events(runtime, principal, key)
    async with runtime.pool.acquire() as conn, conn.transaction():
        await _find_told(conn, principal, key)
        await _require_room(conn, key.channel_id, key.endpoint_id)
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


async def _require_events(runtime: Runtime, principal: Principal, key: DeliveryKey) -> None:
    """Raise ConflictError where a delivery cannot be made again; a trial, which tells nothing, always can."""
    async with runtime.pool.acquire() as conn:
        endpoint = await _find_told(conn, principal, key)
        stored = await webhook_sending.stored_delivery(conn, key)
    if stored is None:
        return
    content, which = stored.content, endpoint.filter_of(key.channel_id)
    page = await read_feed(runtime, key.channel_id, content.after, which, limit=1, until=content.until)
    if page.missed is not (content.kind is DeliveryKind.RESET):
        raise ConflictError("The log no longer holds its events; tell the endpoint again from an instant on.")


async def _find_told(conn: Connection, principal: Principal, key: DeliveryKey) -> WebhookEndpoint:
    """Return the endpoint of a delivery. Raises ForbiddenError, NotFoundError, ConflictError."""
    endpoint = await find_endpoint(conn, principal, key.endpoint_id, sought=DELIVERY)
    if not endpoint.follows(key.channel_id) or await webhooks.delivery(conn, key) is None:
        raise NotFoundError(DELIVERY)
    _require_on(endpoint)
    return endpoint


async def _require_room(conn: Connection, channel_id: int, endpoint_id: int) -> None:
    if await webhooks.count_waiting_singles(conn, channel_id, endpoint_id) >= MAX_WAITING:
        raise LimitExceededError(f"{MAX_WAITING} deliveries wait to be sent by hand; wait until some of them were.")


def _require_on(endpoint: WebhookEndpoint) -> None:
    if endpoint.switch is not WebhookSwitch.ON:
        raise ConflictError(f"The endpoint is {endpoint.switch}; enable it first.")
