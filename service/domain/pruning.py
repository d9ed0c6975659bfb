"""Forgetting what is spent: changes older than the retention, alarms that rang. Channel by channel, block by block."""

from datetime import datetime

from service.domain.runtime import Runtime
from service.storage import changes, channels, evaluation, heads, members, tags


async def prune_channel(runtime: Runtime, channel_id: int, before: datetime) -> None:
    """Forgets what happened before an instant. Cursors at the newest forgotten version stay good."""
    async with runtime.pool.acquire() as conn:
        async with conn.transaction():
            await channels.lock_channel_state(conn, channel_id)
            await tags.prune_tag_changes(conn, channel_id, before)
        for block in await heads.blocks_of(conn, channel_id):
            async with conn.transaction():
                await heads.lock_heads(conn, channel_id, [block])
                await changes.prune_block(conn, channel_id, block, before)
                await evaluation.prune_alarms(conn, channel_id, block)
                await members.drop_empty_members(conn, channel_id, block)
