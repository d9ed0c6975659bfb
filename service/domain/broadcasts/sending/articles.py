"""Copy the draft of an article for each chunk, since WeChat uses a draft up by its first success.

What is sent is what the draft held at the freeze, whatever becomes of it later. A copy is made and recorded before its
chunk is claimed, so that a chunk which is called for again is sent with the same one. A copy of which WeChat's answer
was lost stays at WeChat: nothing there tells it from a draft of the account's own.

Source: docs/specification.md §6.6.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.broadcast_messages import ArticleMessage, message_from_json
from service.entities.broadcasts import Broadcast, MessageKind
from service.entities.channels import Channel
from service.storage.broadcasts import broadcast_drafts, broadcasts
from service.wechat.api.draft_calls import Article, add_draft, delete_draft, read_draft
from service.wechat.api.errors import WechatError

# WeChat knows an id of ours for a day; after that nothing is called with it again.
UNSURE_FOR: Final = timedelta(days=3)
UNKNOWN_MEDIA: Final = 40007


async def freeze_article(runtime: Runtime, channel: Channel, broadcast: Broadcast) -> Sequence[Article]:
    """Keep what the draft of an article holds now, and return it. Raises what `call_wechat` raises."""
    message = message_from_json(broadcast.message)
    assert isinstance(message, ArticleMessage)  # noqa: S101 - its kind says so
    articles = await call_wechat(runtime, channel, read_draft(message.media_id))
    async with runtime.pool.acquire() as conn:
        await broadcast_drafts.save_articles(conn, broadcast.channel_id, broadcast.job_id, articles)
    return articles


async def copy_for_next_chunk(runtime: Runtime, channel: Channel, broadcast: Broadcast) -> str | None:
    """Return the `media_id` of a draft that the next chunk is to be sent with, made now if no copy is left.

    None for other kinds, and if nobody is planned. It is used by the chunk that has it as its `media_id`. Raises what
    `call_wechat` raises.
    """
    if broadcast.kind is not MessageKind.MASS_ARTICLE:
        return None
    key = (broadcast.channel_id, broadcast.job_id)
    async with runtime.pool.acquire() as conn:
        present = await broadcasts.broadcast(conn, *key)
        if present is None or not present.planned:
            return None
        unused = await broadcast_drafts.unused_draft(conn, *key)
        kept = None if unused else await broadcast_drafts.articles(conn, *key)
    if unused is not None:
        return unused
    articles = await freeze_article(runtime, channel, broadcast) if kept is None else kept
    media_id = await call_wechat(runtime, channel, add_draft(articles))
    async with runtime.pool.acquire() as conn:
        await broadcast_drafts.insert_draft(conn, *key, media_id, runtime.clock())
    return media_id


async def delete_leftover_copies(runtime: Runtime, channel: Channel) -> int:
    """Delete the copies of a channel's finished broadcasts that were not used up; return how many.

    Raises what `call_wechat` raises; the rest is done by the next run then.
    """
    async with runtime.pool.acquire() as conn:
        found = await broadcast_drafts.leftover_drafts(conn, channel.channel_id, runtime.clock() - UNSURE_FOR)
    deleted = 0
    for each in found:
        if not each.used_up:
            deleted += await _delete(runtime, channel, each.media_id)
        async with runtime.pool.acquire() as conn:
            await broadcast_drafts.delete_draft(conn, channel.channel_id, each.job_id, each.media_id)
    return deleted


async def _delete(runtime: Runtime, channel: Channel, media_id: str) -> bool:
    """Delete a draft at WeChat; False if it is not there any more."""
    try:
        await call_wechat(runtime, channel, delete_draft(media_id))
    except WechatError as error:
        if error.errcode != UNKNOWN_MEDIA:
            raise
        return False
    return True
