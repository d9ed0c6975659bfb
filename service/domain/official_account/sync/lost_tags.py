"""Find out what it means that WeChat does not know a tag, as it also says of new tags, of people, and in outages.

Source: docs/specification.md, §6.2.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from service.domain.jobs.running import JobMustWaitError, save_progress
from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.jobs import Job
from service.entities.syncs import TagSync
from service.storage import remote_tags
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import list_tags, tag_members

LOOK_AGAIN_AFTER: Final = timedelta(seconds=5)
GONE: Final = "The Official Account has this tag no longer; the next sync makes it anew."


async def people_are_refused(runtime: Runtime, channel: Channel, job: Job, tag: TagSync, error: WechatError) -> None:
    """Return if WeChat knows a tag after all, so that it is people whom it refuses with 45159.

    Raises JobMustWaitError while a tag may not be known yet, or not be listed for a moment; after that a WechatError
    that says that it is gone, and its link is ended; `error` where it is listed and yet not known.
    """
    assert tag.remote_tag_id is not None  # noqa: S101 - it was called with
    listed = {each.remote_tag_id for each in await call_wechat(runtime, channel, list_tags())}
    if tag.remote_tag_id in listed:
        try:
            await call_wechat(runtime, channel, tag_members(tag.remote_tag_id))
        except WechatError as probe:
            if probe.errcode == error.errcode:
                await _wait(runtime, job, tag)
            raise
        return
    await _wait(runtime, job, tag)
    await _end_link(runtime, tag)
    raise WechatError(error.errcode, GONE, Decision.OUR_FAULT)


async def _wait(runtime: Runtime, job: Job, tag: TagSync) -> None:
    """Raise JobMustWaitError for a while after a tag was not known first."""
    now = runtime.clock()
    since = dict(job.payload.get("unknown_since", ()))
    first = datetime.fromisoformat(since.setdefault(str(tag.tag_id), now.isoformat()))
    if now >= first + runtime.settings.sync.new_tag_patience:
        return
    async with runtime.pool.acquire() as conn, conn.transaction():
        await save_progress(conn, runtime, replace(job, payload={**job.payload, "unknown_since": since}))
    raise JobMustWaitError("WeChat does not know the tag yet.", now + LOOK_AGAIN_AFTER)


async def _end_link(runtime: Runtime, tag: TagSync) -> None:
    """Record that there is no remote tag, and that it is to be made anew."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        [link] = (await remote_tags.lock_linked_tags(conn, tag.channel_id, [tag.tag_id])).values()
        await remote_tags.link_tag(
            conn,
            tag.channel_id,
            tag.tag_id,
            remote_tag_id=None,
            remote_name=link.remote_name,
            keep_in_sync=link.keep_in_sync,
            remote_additions=link.remote_additions,
            job_id=tag.job_id,
            now=runtime.clock(),
        )
