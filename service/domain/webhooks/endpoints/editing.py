"""Change, rotate and delete webhook endpoints (docs/specification.md §6.4)."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, TypedDict

from service.domain.runtime import Runtime
from service.domain.webhooks.endpoints.addresses import address_errors
from service.domain.webhooks.endpoints.auditing import endpoint_values, record_act, record_change
from service.domain.webhooks.endpoints.checking import EndpointDetails, checked_settings
from service.domain.webhooks.endpoints.lookup import (
    ToldEndpoint,
    find_endpoint,
    followed_channels,
    lock_endpoint,
    with_positions,
)
from service.domain.webhooks.endpoints.secrets import new_secrets
from service.entities.change_feed import FeedEventType
from service.entities.errors import FieldError
from service.entities.principal import Principal
from service.entities.tags import TagKey
from service.entities.webhooks import WebhookEndpoint, WebhookSwitch
from service.storage import webhooks
from service.storage.database.pool import Connection

FORMER_SECRET_VALID_FOR: Final = timedelta(hours=24)


class EndpointChange(TypedDict, total=False):
    """Hold what is to be changed of an endpoint: what is absent stays as it is; None are all channels, or all tags."""

    url: str
    description: str | None
    channel_ids: Sequence[int] | None
    events: Sequence[FeedEventType]
    tag_keys: Sequence[TagKey] | None
    enabled: bool


async def update_endpoint(
    runtime: Runtime, principal: Principal, endpoint_id: int, change: EndpointChange
) -> ToldEndpoint:
    """Change an endpoint; it goes on where it was, in new channels from now on.

    With a new address, and with `enabled`, what it was not told is tried at once. Raises ForbiddenError,
    NotFoundError, and a RequestError for all wrong inputs, as `checked_settings` does.
    """
    errors = await address_errors(runtime, change["url"]) if "url" in change else []
    async with runtime.pool.acquire() as conn, conn.transaction():
        now = runtime.clock()
        await lock_endpoint(conn, principal, endpoint_id, now)
        before, after = await _changed(conn, principal, endpoint_id, change, errors)
        await _follow_anew(conn, before, after, now, at_once=change.get("enabled", False) or after.url != before.url)
        await record_change(conn, runtime, principal, before, after)
        [told] = await with_positions(conn, [after], now)
    return told


async def _changed(
    conn: Connection, principal: Principal, endpoint_id: int, change: EndpointChange, address_errors: list[FieldError]
) -> tuple[WebhookEndpoint, WebhookEndpoint]:
    """Change a locked endpoint, and return it as it was and as it is.

    The lock keeps other admins away, but neither a 410 nor the merging of a tag that it names: after these it is read
    again, so that the change is one of what it is now.
    """
    while True:
        before = await find_endpoint(conn, principal, endpoint_id)
        settings = await checked_settings(conn, principal, _details(before, change), address_errors, before)
        after = await webhooks.update_endpoint(conn, before, settings, *_switch(before, change))
        if after is not None:
            return before, after


async def rotate_secret(runtime: Runtime, principal: Principal, endpoint_id: int) -> ToldEndpoint:
    """Give an endpoint a new secret and new keys; the present ones sign beside them for a day.

    Those before the present ones sign no more. Raises ForbiddenError, NotFoundError.
    """
    made = new_secrets(runtime.secret_box)
    async with runtime.pool.acquire() as conn, conn.transaction():
        now = runtime.clock()
        await lock_endpoint(conn, principal, endpoint_id, now)
        rotated = await webhooks.rotate_secrets(conn, endpoint_id, *made, now + FORMER_SECRET_VALID_FOR)
        await record_act(conn, runtime, principal, "rotate_webhook_secret", endpoint_id)
        [told] = await with_positions(conn, [rotated], now)
    return told


async def delete_endpoint(runtime: Runtime, principal: Principal, endpoint_id: int) -> None:
    """Delete an endpoint with its positions. Raises ForbiddenError, NotFoundError."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        endpoint = await lock_endpoint(conn, principal, endpoint_id, runtime.clock())
        for channel_id in await followed_channels(conn, endpoint):
            await webhooks.delete_position(conn, channel_id, endpoint_id)
        await webhooks.delete_endpoint(conn, endpoint_id)
        gone = endpoint_values(endpoint)
        await record_act(conn, runtime, principal, "delete_webhook_endpoint", endpoint_id, before=gone)


def _details(known: WebhookEndpoint, change: EndpointChange) -> EndpointDetails:
    return EndpointDetails(
        url=change.get("url", known.url),
        description=change.get("description", known.description),
        channel_ids=change.get("channel_ids", known.channel_ids),
        events=change.get("events", known.events),
        tag_keys=change.get("tag_keys", known.tag_keys),
    )


def _switch(known: WebhookEndpoint, change: EndpointChange) -> tuple[WebhookSwitch, str | None]:
    """Return how an endpoint is switched after a change, and why."""
    if "enabled" not in change:
        return known.switch, known.reason
    return (WebhookSwitch.ON if change["enabled"] else WebhookSwitch.OFF), None


async def _follow_anew(
    conn: Connection, before: WebhookEndpoint, after: WebhookEndpoint, now: datetime, *, at_once: bool
) -> None:
    """Let an endpoint follow what it follows after a change, and no longer what it does not."""
    known, wanted = await followed_channels(conn, before), await followed_channels(conn, after)
    for channel_id in sorted(set(known) - set(wanted)):
        await webhooks.delete_position(conn, channel_id, after.endpoint_id)
    # While it was off its feeds may have ended: they begin anew, and tell by themselves what it missed.
    switched_on = after.switch is WebhookSwitch.ON and before.switch is not WebhookSwitch.ON
    fresh = wanted if switched_on else sorted(set(wanted) - set(known))
    for channel_id in fresh:
        await webhooks.follow_channel(conn, channel_id, after.endpoint_id, now)
    if at_once:
        for channel_id in wanted:
            await webhooks.retry_position(conn, channel_id, after.endpoint_id, now)
