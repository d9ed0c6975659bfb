"""Delete what a feed can no longer tell, and the feed once nobody follows it."""

from datetime import datetime, timedelta
from typing import Final

from service.domain.runtime import Runtime
from service.storage.change_feed import close_feed, prune_entries

# After the last endpoint was switched off, and /feed/changes was asked for the last time.
UNFOLLOWED_RETENTION: Final = timedelta(days=7)


async def prune_feed(runtime: Runtime, channel_id: int, before: datetime) -> None:
    """Delete the entries that tell of what happened before an instant; call it before the logs lose that.

    Whoever has not read them gets `feed.reset`: nobody holds back the deleting.
    """
    now = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        if not await close_feed(conn, channel_id, now=now, unfollowed_since=now - UNFOLLOWED_RETENTION):
            await prune_entries(conn, channel_id, before)
