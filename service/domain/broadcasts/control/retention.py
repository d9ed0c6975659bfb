"""Delete broadcasts that ended longer ago than they are kept (docs/settings.md)."""

from service.domain.runtime import Runtime
from service.storage import jobs
from service.storage.broadcasts import broadcast_retention, broadcasts


async def prune_broadcasts(runtime: Runtime, channel_id: int) -> int:
    """Delete what is kept no longer, each in a transaction, and return how many broadcasts that were.

    Runs of a series are kept until it has ended, since whoever got one of them gets no other.
    """
    before = runtime.clock() - runtime.settings.broadcast_retention
    pruned = 0
    async with runtime.pool.acquire() as conn:
        while outdated := await broadcast_retention.outdated_broadcasts(conn, channel_id, before):
            for job_id in outdated:
                async with conn.transaction():
                    await jobs.lock_job(conn, channel_id, job_id)
                    await broadcasts.lock_broadcast(conn, channel_id, job_id)
                    await broadcast_retention.delete_broadcast(conn, channel_id, job_id)
            pruned += len(outdated)
    return pruned
