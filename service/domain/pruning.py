"""Forgetting what is spent: changes older than the retention, alarms that rang. Channel by channel, block by block."""

from datetime import datetime, timedelta
from typing import Final

from service.domain.forgetting import LATE_REPEATS_FOR
from service.domain.return_batches import settle_batches
from service.domain.runtime import Runtime
from service.storage import changes, channels, evaluation, heads, members, return_keys, tags
from service.storage.forgetting import prune_forgotten

IDEMPOTENCY_KEYS_KEPT: Final = timedelta(days=7)


async def prune_channel(runtime: Runtime, channel_id: int, before: datetime) -> None:
    """Forgets what happened before an instant. Cursors at the newest forgotten version stay good.

    Also settles returned batches that can no longer be undone.
    """
    async with runtime.pool.acquire() as conn:
        async with conn.transaction():
            await channels.lock_channel_state(conn, channel_id)
            await tags.prune_tag_changes(conn, channel_id, before)
        await return_keys.prune_keys(conn, channel_id, runtime.clock() - IDEMPOTENCY_KEYS_KEPT)
        await prune_forgotten(conn, channel_id, runtime.clock() - LATE_REPEATS_FOR)
        for block in await heads.blocks_of(conn, channel_id):
            async with conn.transaction():
                await heads.lock_heads(conn, channel_id, [block])
                await changes.prune_block(conn, channel_id, block, before)
                await evaluation.prune_alarms(conn, channel_id, block)
                await members.drop_empty_members(conn, channel_id, block)
    await settle_batches(runtime, channel_id, runtime.clock() - runtime.settings.undo_retention)
