"""Clear away at WeChat what broadcasts made there: copies of drafts, and temporary remote tags.

Source: docs/specification.md §6.6.
"""

import logging

from service.domain.broadcasts.sending.articles import delete_leftover_copies
from service.domain.broadcasts.sending.preparing import PREPARING_ERRORS
from service.domain.broadcasts.sending.tag_deletion import delete_finished_tags
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage.broadcasts import broadcast_drafts, broadcast_remote_tags

log = logging.getLogger(__name__)


async def channels_with_leftovers(runtime: Runtime) -> list[int]:
    """Return the channels at whose accounts something may have to be cleared away."""
    async with runtime.pool.acquire() as conn:
        drafts = await broadcast_drafts.channels_with_leftover_drafts(conn)
        tags = await broadcast_remote_tags.channels_with_temporary_tags(conn)
    return sorted({*drafts, *tags})


async def clear_leftovers(runtime: Runtime, channel: Channel) -> int:
    """Delete what a channel's finished broadcasts left at WeChat, and return how many things.

    Where WeChat cannot be called, or refuses, the next run goes on.
    """
    deleted = 0
    for delete in (delete_leftover_copies, delete_finished_tags):
        try:
            deleted += await delete(runtime, channel)
        except PREPARING_ERRORS as error:
            log.info("what broadcasts left at WeChat stays for now in channel %d: %s", channel.channel_id, error)
    return deleted
