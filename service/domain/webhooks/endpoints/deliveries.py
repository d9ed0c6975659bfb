"""List what was sent to an endpoint, over all of its channels, newest first."""

from collections.abc import Iterable
from datetime import UTC, datetime
from heapq import merge
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from service.domain.runtime import Runtime
from service.domain.webhooks.endpoints.lookup import find_endpoint
from service.entities.errors import NotFoundError
from service.entities.paging import Page
from service.entities.principal import Principal
from service.entities.webhooks import DeliveryKey, WebhookDelivery
from service.storage import webhooks

DELIVERY: Final = "webhook delivery"
# After every delivery, and beyond every number of one.
END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)
LARGEST_NUMBER: Final = 2**63 - 1


class DeliveryPlace(NamedTuple):
    """Name a place in the list: that of a delivery by its time, its channel and its number there."""

    at: datetime
    channel_id: int
    delivery_id: int


FIRST_PLACE: Final = DeliveryPlace(END_OF_TIME, 0, LARGEST_NUMBER)
DeliveryPage: TypeAlias = Page[WebhookDelivery]


async def deliveries_page(
    runtime: Runtime, endpoint_id: int, channel_ids: Iterable[int], *, first: int, after: DeliveryPlace = FIRST_PLACE
) -> DeliveryPage:
    """Return deliveries of these channels to an endpoint after a place, the newest first; the caller may see them.

    Those of one instant come by their channels, and within a channel the later first.
    """
    async with runtime.pool.acquire() as conn:
        lists = [
            await webhooks.deliveries_before(
                conn, channel_id, endpoint_id, after.at, _number_before(channel_id, after), limit=first + 1
            )
            for channel_id in sorted(channel_ids)
        ]
    found = list(islice(merge(*lists, key=lambda each: each.created_at, reverse=True), first + 1))
    return Page(found[:first], len(found) > first)


async def find_delivery(runtime: Runtime, principal: Principal, key: DeliveryKey) -> WebhookDelivery:
    """Return a delivery. Raises ForbiddenError, NotFoundError."""
    async with runtime.pool.acquire() as conn:
        endpoint = await find_endpoint(conn, principal, key.endpoint_id, sought=DELIVERY)
        found = await webhooks.delivery(conn, key)
    if found is None or not endpoint.follows(key.channel_id):
        raise NotFoundError(DELIVERY)
    return found


def _number_before(channel_id: int, place: DeliveryPlace) -> int:
    """Return the number below which deliveries of a channel at the instant of a place come after it."""
    if channel_id == place.channel_id:
        return place.delivery_id
    return LARGEST_NUMBER if channel_id > place.channel_id else 0
