"""Delete temporary remote tags that are needed no more (docs/specification.md §6.6)."""

from datetime import timedelta
from typing import Final

from service.domain.broadcasts.sending.temporary_tags import find_tag
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.series import call_series
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage.broadcasts import broadcast_remote_tags
from service.storage.broadcasts.broadcast_remote_tags import FinishedTag
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import MAX_OPENIDS_PER_TAGGING, UNTAGGING, delete_tag, tag_members, untag_users

# WeChat deletes no tag of over 100,000 people.
TOO_MANY_MEMBERS: Final = 45057
UNTAGGED_PER_RUN: Final = 2_000
# Nothing tells of a message after so long.
UNSURE_FOR: Final = timedelta(days=3)


async def delete_finished_tags(runtime: Runtime, channel: Channel) -> int:
    """Delete the remote tags of a channel's broadcasts that are needed no more; return how many.

    One of over 100,000 people is taken from some of them first, in several runs. Raises what `call_wechat` raises; the
    rest is done by the next run then.
    """
    async with runtime.pool.acquire() as conn:
        finished = await broadcast_remote_tags.finished_tags(conn, channel.channel_id, runtime.clock() - UNSURE_FOR)
    deleted = 0
    for each in finished:
        deleted += await _delete(runtime, channel, each)
    return deleted


async def _delete(runtime: Runtime, channel: Channel, finished: FinishedTag) -> bool:
    """Delete a remote tag, unless WeChat lists another one, or none, by its name; True if it was."""
    remote_tag_id = await find_tag(runtime, channel, finished.tag)
    if remote_tag_id is None and runtime.clock() < finished.tag.made_at + runtime.settings.sync.new_tag_patience:
        return False
    if remote_tag_id is not None:
        try:
            await call_wechat(runtime, channel, delete_tag(remote_tag_id))
        except WechatError as error:
            if error.errcode != TOO_MANY_MEMBERS:
                raise
            await _shrink(runtime, channel, remote_tag_id)
            return False
    async with runtime.pool.acquire() as conn:
        await broadcast_remote_tags.delete_temporary_tag(conn, channel.channel_id, finished.job_id)
    return remote_tag_id is not None


async def _shrink(runtime: Runtime, channel: Channel, remote_tag_id: int) -> None:
    """Take a remote tag from some of its people."""
    page = await call_wechat(runtime, channel, tag_members(remote_tag_id))
    openids = page.openids[:UNTAGGED_PER_RUN]
    async with call_series(runtime, channel, UNTAGGING, -(-len(openids) // MAX_OPENIDS_PER_TAGGING)) as series:
        for start in range(0, len(openids), MAX_OPENIDS_PER_TAGGING):
            some = openids[start : start + MAX_OPENIDS_PER_TAGGING]
            await call_wechat(runtime, channel, untag_users(remote_tag_id, some), series=series)
