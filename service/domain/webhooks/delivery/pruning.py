"""Delete the records of deliveries when they have been kept long enough (docs/specification.md §6.8)."""

from typing import Final

from service.domain.runtime import Runtime
from service.entities.webhooks import DeliveryKey
from service.storage import webhook_sending
from service.storage.database.pool import Connection

# So many deliveries of a position are kept, and those before are deleted so many at a time.
KEPT_DELIVERIES: Final = 1_000
PRUNED_AT_ONCE: Final = 200


async def prune_deliveries(runtime: Runtime, channel_id: int) -> None:
    """Delete the deliveries of a channel that are older than the log of changes: they could not be sent again."""
    before = runtime.clock() - runtime.settings.change_log_retention
    async with runtime.pool.acquire() as conn:
        await webhook_sending.prune_deliveries(conn, channel_id, before)


async def prune_after(conn: Connection, key: DeliveryKey) -> None:
    """Delete, after some of the deliveries of a position, those that are too many; call it after each."""
    if key.delivery_id % PRUNED_AT_ONCE == 0:
        up_to = key._replace(delivery_id=key.delivery_id - KEPT_DELIVERIES)
        await webhook_sending.prune_deliveries_of_position(conn, up_to)
