"""Correct what is known of who has remote tags, where it is certainly wrong (docs/specification.md §6.4)."""

from service.storage import remote_tags
from service.storage.database.pool import Connection


async def repair_remote_members(conn: Connection, channel_id: int, block: int) -> int:
    """Forget of a locked block the remote tags of nobody, and who had those of tags that are not linked.

    Return how many ordinals and tags those were. What a person has at WeChat is found by reading it, not here.
    """
    stray = await remote_tags.stray_remote_members(conn, channel_id, block)
    if stray:
        await remote_tags.clear_remote_members(conn, channel_id, stray)
    unlinked = await remote_tags.unlinked_remote_members(conn, channel_id, block)
    if unlinked:
        await remote_tags.drop_remote_members_of_block(conn, channel_id, block, unlinked)
    return len(stray) + len(unlinked)
