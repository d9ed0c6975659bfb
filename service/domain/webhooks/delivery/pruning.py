"""Delete the records of deliveries when they have been kept long enough (docs/specification.md §6.8)."""

from service.domain.runtime import Runtime
from service.storage import webhook_sending


async def prune_deliveries(runtime: Runtime, channel_id: int) -> None:
    """Delete the deliveries of a channel that are older than the log of changes: they could not be sent again."""
    before = runtime.clock() - runtime.settings.change_log_retention
    async with runtime.pool.acquire() as conn:
        await webhook_sending.prune_deliveries(conn, channel_id, before)
