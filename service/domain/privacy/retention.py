"""Delete logged changes that are older than the retention, and timers that are due no more, block by block."""

from datetime import datetime
from typing import Final

from service.domain.change_feed.retention import prune_feed
from service.domain.privacy.copies import forget_in_receipts
from service.domain.privacy.forgetting import FORGOTTEN_HASH_RETENTION
from service.domain.return_data.batches import settle_batches
from service.domain.return_data.submission import IDEMPOTENCY_KEY_RETENTION
from service.domain.runtime import Runtime
from service.entities.channels import FORMER_OPENID_RETENTION
from service.storage import channels, default_tags, former_openids, tags
from service.storage.blocks import change_log, heads, members
from service.storage.return_data import idempotency_keys
from service.storage.users import prune_forgotten

OPENIDS_PER_TRANSACTION: Final = 1_000


async def prune_channel(runtime: Runtime, channel_id: int, before: datetime) -> None:
    """Delete what was logged of a channel before an instant; cursors at the newest deleted version stay valid.

    Also settle the returned batches that can no longer be undone.
    """
    await prune_feed(runtime, channel_id, before)
    async with runtime.pool.acquire() as conn:
        async with conn.transaction():
            await channels.lock_channel_state(conn, channel_id)
            await tags.prune_tag_changes(conn, channel_id, before)
        await idempotency_keys.prune_keys(conn, channel_id, runtime.clock() - IDEMPOTENCY_KEY_RETENTION)
        await prune_forgotten(conn, channel_id, runtime.clock() - FORGOTTEN_HASH_RETENTION)
        for block in await heads.blocks_of(conn, channel_id):
            async with conn.transaction():
                await heads.lock_heads(conn, channel_id, [block])
                await change_log.prune_block(conn, channel_id, block, before)
                await default_tags.prune_timers(conn, channel_id, block)
                await members.drop_empty_members(conn, channel_id, block)
    await settle_batches(runtime, channel_id, runtime.clock() - runtime.settings.undo_retention)
    await _prune_former_openids(runtime, channel_id)


async def _prune_former_openids(runtime: Runtime, channel_id: int) -> None:
    """Delete openids from before a migration, in receipts too: from now on nobody knows whose they were."""
    before = runtime.clock() - FORMER_OPENID_RETENTION
    while True:
        async with runtime.pool.acquire() as conn, conn.transaction():
            gone = await former_openids.prune_former_openids(conn, channel_id, before, OPENIDS_PER_TRANSACTION)
            if not gone:
                return
            await forget_in_receipts(conn, channel_id, gone)
