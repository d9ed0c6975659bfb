"""Read all followers of an Official Account page by page, then ask about those who were followers and not on any page.

Each batch of people is written with the openid after which the import goes on, so any worker takes up where one died,
and what was answered before a quota was used up is not asked for again. Source: docs/specification.md, §6.3.
"""

import logging
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any, Final

from service.domain.followers.details import OPENIDS_PER_BATCH, ask_about
from service.domain.followers.landing import land_batch, scan_started_at
from service.domain.input_rules import OPENID_PATTERN
from service.domain.jobs.running import save_progress
from service.domain.official_account.calling import call_wechat
from service.domain.runtime import Runtime
from service.entities.blocks import block_of, ordinal_at
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError
from service.entities.jobs import Job, JobState
from service.storage import channels, follower_imports
from service.storage.database.pool import Connection
from service.storage.follower_imports import Follower
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.user_calls import followers

MAX_RESTARTS: Final = 3
BLOCKS_PER_LOOK: Final = 16
NEW_IMPORT: Final[dict[str, Any]] = {
    "started_at": None,
    "cursor": "",
    "restarts": 0,
    "after_ordinal": -1,
    "new": 0,
    "unfollowed": 0,
    "forgotten": 0,
    "unanswered": 0,
    "unionid_conflicts": 0,
}
"""The payload of an import that has not begun.

`started_at` is in Unix seconds. `cursor` is the openid after which the next page begins, null when all were read; then
whoever was not seen is asked about from the ordinal after `after_ordinal` on. The rest counts people.
"""

log = logging.getLogger(__name__)


async def import_followers_slice(runtime: Runtime, job: Job) -> Job:
    """Do the next page of an import, and return the job after it.

    Raises JobLeaseLostError, ChannelNotBoundError where the gate is closed, and what `call_wechat` raises.
    """
    async with runtime.pool.acquire() as conn:
        (channel,) = await channels.channels_by_id(conn, [job.channel_id])
        if not (await channels.channel_state(conn, job.channel_id)).open:
            raise ChannelNotBoundError
    if job.payload["cursor"] is None:
        return await _ask_about_unseen(runtime, channel, job)
    return await _read_page(runtime, channel, job)


async def _read_page(runtime: Runtime, channel: Channel, job: Job) -> Job:
    if job.payload["started_at"] is None:
        job = replace(job, payload={**job.payload, "started_at": int(runtime.clock().timestamp())})
    cursor: str = job.payload["cursor"]
    try:
        page = await call_wechat(runtime, channel, followers(cursor))
    except WechatError as error:
        restarts = job.payload["restarts"] + 1
        if error.decision is not Decision.SKIP_PERSON or not cursor or restarts > MAX_RESTARTS:
            raise
        log.warning("WeChat does not know the cursor of an import of channel %d: it begins anew", job.channel_id)
        return await _save(runtime, replace(job, done=0, payload={**job.payload, "cursor": "", "restarts": restarts}))
    job = replace(job, total=max(page.total, job.done))
    openids = [each for each in dict.fromkeys(page.openids) if OPENID_PATTERN.fullmatch(each)]
    # A cursor that does not move would never end.
    after_page = page.cursor if page.cursor not in {"", cursor} else None
    if not openids:
        return await _save(runtime, replace(job, payload={**job.payload, "cursor": after_page}))
    landed = 0
    async with aclosing(ask_about(runtime, channel, openids)) as batches:
        async for batch in batches:
            landed += len(batch.openids)
            position = {"cursor": batch.openids[-1] if landed < len(openids) else after_page}
            job = await land_batch(runtime, channel, job, batch, position)
    return job


async def _ask_about_unseen(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Ask about the next followers whom no page had; be done where there are none any more."""
    async with runtime.pool.acquire() as conn:
        unseen = await _next_unseen(conn, job)
    if not unseen:
        counts = {name: job.payload[name] for name in NEW_IMPORT if name not in {"started_at", "cursor"}}
        log.info("followers of channel %d are imported: %d read, %s", job.channel_id, job.done, counts)
        return await _save(runtime, replace(job, state=JobState.DONE, total=job.done))
    job = replace(job, total=job.done + len(unseen))
    ordinal_of = {each.openid: each.ordinal for each in unseen}
    async with aclosing(ask_about(runtime, channel, list(ordinal_of))) as batches:
        async for batch in batches:
            job = await land_batch(runtime, channel, job, batch, {"after_ordinal": ordinal_of[batch.openids[-1]]})
    return job


async def _next_unseen(conn: Connection, job: Job) -> Sequence[Follower]:
    """Return the next people who follow by what they did before the import began and were on no page."""
    after: int = job.payload["after_ordinal"]
    block = block_of(after + 1)
    while True:
        blocks = await follower_imports.unseen_followers(conn, job.channel_id, job.job_id, block, BLOCKS_PER_LOOK)
        if not blocks:
            return ()
        ordinals = [
            ordinal for each in blocks for offset in each.offsets if (ordinal := ordinal_at(each.block, offset)) > after
        ]
        for first in range(0, len(ordinals), OPENIDS_PER_BATCH):
            some = ordinals[first : first + OPENIDS_PER_BATCH]
            found = await follower_imports.followers_before(conn, job.channel_id, some, scan_started_at(job))
            if found:
                return found
        block = blocks[-1].block + 1


async def _save(runtime: Runtime, job: Job) -> Job:
    async with runtime.pool.acquire() as conn, conn.transaction():
        return await save_progress(conn, runtime, job)
