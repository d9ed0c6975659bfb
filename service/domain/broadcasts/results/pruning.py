"""Delete the results that no message is looked for any more."""

from datetime import timedelta
from typing import Final

from service.domain.runtime import Runtime
from service.storage.broadcasts import message_results

RESULT_RETENTION: Final = timedelta(days=3)


async def prune_results(runtime: Runtime, channel_id: int) -> None:
    """Delete results that were pushed more than three days ago; what they told stands with the messages."""
    async with runtime.pool.acquire() as conn:
        await message_results.prune_results(conn, channel_id, runtime.clock() - RESULT_RETENTION)
