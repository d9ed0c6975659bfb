"""Make a webhook endpoint (docs/specification.md §6.4)."""

from typing import Final

from service.domain.channels.lookup import require_permission
from service.domain.runtime import Runtime
from service.domain.webhooks.endpoints.addresses import address_errors
from service.domain.webhooks.endpoints.auditing import endpoint_values, record_act
from service.domain.webhooks.endpoints.checking import EndpointDetails, checked_settings
from service.domain.webhooks.endpoints.lookup import ToldEndpoint, followed_channels, with_positions
from service.domain.webhooks.endpoints.secrets import new_secrets
from service.entities.errors import LimitExceededError
from service.entities.principal import Permission, Principal
from service.storage import channels, webhooks

MAX_ENDPOINTS_PER_ROBOT: Final = 20


async def create_endpoint(runtime: Runtime, principal: Principal, details: EndpointDetails) -> ToldEndpoint:
    """Make an endpoint that is told of everything from now on.

    Raises ForbiddenError, also for all channels by a narrowed token; a RequestError for all wrong inputs, as
    `checked_settings` does; LimitExceededError where the robot has 20 endpoints.
    """
    require_permission(principal, Permission.MANAGE_WEBHOOKS)
    errors = await address_errors(runtime, details.url)
    made = new_secrets(runtime.secret_box)
    async with runtime.pool.acquire() as conn, conn.transaction():
        now = runtime.clock()
        await channels.lock_robot(conn, principal.robot_id, now)
        settings = await checked_settings(conn, principal, details, errors)
        if len(await webhooks.endpoints_of_robot(conn, principal.robot_id)) >= MAX_ENDPOINTS_PER_ROBOT:
            raise LimitExceededError(f"A robot has at most {MAX_ENDPOINTS_PER_ROBOT} webhook endpoints.")
        endpoint = await webhooks.insert_endpoint(
            conn, principal.robot_id, settings, *made, now=now, created_by=principal.subject
        )
        for channel_id in await followed_channels(conn, endpoint):
            await webhooks.follow_channel(conn, channel_id, endpoint.endpoint_id, now)
        made_so = endpoint_values(endpoint)
        await record_act(conn, runtime, principal, "create_webhook_endpoint", endpoint.endpoint_id, after=made_so)
        [told] = await with_positions(conn, [endpoint], now)
    return told
