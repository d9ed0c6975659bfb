"""Read the members of tags that were taken over, page by page, and write them as batches of returned data.

A page, its batch and the progress of the job are one transaction, so that any worker goes on after a crash, and nobody
is written twice. Followers whom the channel does not know become users who do not follow: when they followed is for the
follower import to find out.
"""

import logging
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from service.domain.jobs.running import save_progress
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.member_reading import MemberPage, fetch_member_page, keep_member_page
from service.domain.people.ordinals import find_or_create_users
from service.domain.return_data.prepared import PreparedBatch, ResolvedPeople
from service.domain.return_data.requests import split_openids
from service.domain.return_data.writing import TagDeletedError, add_batches
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.channels import Channel
from service.entities.jobs import Job, JobState
from service.entities.return_data import ReturnMode, ReturnSource
from service.storage import channels, jobs, remote_tags
from service.storage.database.pool import Connection, DeadlockError, StaleStatementError
from service.storage.return_data.batches import KeyedTag
from service.storage.users import UserForgottenError
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import list_tags, tag_members

MAX_ATTEMPTS: Final = 4
UNKNOWN_TAG: Final = 45159
UNKNOWN_OPENID: Final = 40003
MAX_NEW_BEGINNINGS: Final = 3
PATH: Final = tag_members(0).path
# What WeChat refuses in these ways it refuses of this tag only, and for good.
GIVING_UP: Final = frozenset(
    {
        Decision.OUR_FAULT,
        Decision.UNKNOWN,
        Decision.SKIP_PERSON,
        Decision.PERSON_UNREACHABLE,
        Decision.PARTIAL,
        Decision.ALREADY_DONE,
    }
)

log = logging.getLogger(__name__)


class _UnlinkedError(Exception):
    """Report that the tag is no longer linked to the one that is being read."""


async def read_imported_members(runtime: Runtime, job: Job) -> Job:
    """Read and write one page of the members of one tag, and return the job after it.

    Raises JobLeaseLostError, ChannelNotBoundError where the channel or the gate was closed meanwhile, and what
    `call_wechat` raises, unless it concerns one tag only: then the tag says so, and the job goes on with the next.
    """
    if job.payload["at"] == len(job.payload["tags"]):
        return await _save(runtime, replace(job, state=JobState.DONE))
    async with runtime.pool.acquire() as conn:
        (channel,) = await channels.channels_by_id(conn, [job.channel_id])
    tag_id, remote_tag_id = job.payload["tags"][job.payload["at"]]
    try:
        page = await fetch_member_page(runtime, channel, remote_tag_id, job.payload["cursor"])
    except WechatError as error:
        if error.decision is Decision.STOP_ACCOUNT:
            await _note_failure(runtime, job, [each for each, _ in job.payload["tags"][job.payload["at"] :]], error)
            raise
        if error.path == PATH and error.errcode == UNKNOWN_OPENID and _may_begin_anew(job):
            return await _save(runtime, _begin_anew(job))
        if not (_is_of_tag_only(error) or await _is_gone(runtime, channel, error, remote_tag_id)):
            raise
        log.warning("tag %d of channel %d is not taken over: %s", tag_id, job.channel_id, error)
        return await _note_failure(runtime, _next_tag(job), [tag_id], error)
    try:
        return await _keep(runtime, job, tag_id, remote_tag_id, page)
    except (TagDeletedError, _UnlinkedError):
        return await _save(runtime, _next_tag(job))


def _may_begin_anew(job: Job) -> bool:
    """Tell whether WeChat may not know the openid that the page was to begin after, and not too often."""
    return bool(job.payload["cursor"]) and job.payload["begun_anew"] < MAX_NEW_BEGINNINGS


def _begin_anew(job: Job) -> Job:
    return replace(job, payload={**job.payload, "cursor": "", "begun_anew": job.payload["begun_anew"] + 1})


def _is_of_tag_only(error: WechatError) -> bool:
    """Tell whether WeChat refused the page for good, and nothing besides it."""
    return error.path == PATH and error.decision in GIVING_UP


async def _is_gone(runtime: Runtime, channel: Channel, error: WechatError, remote_tag_id: int) -> bool:
    """Tell whether the account has no such tag any more; WeChat says so at times of tags that it has."""
    if error.errcode != UNKNOWN_TAG:
        return False
    found = await call_wechat(runtime, channel, list_tags())
    return all(tag.remote_tag_id != remote_tag_id for tag in found)


async def _note_failure(runtime: Runtime, job: Job, tag_ids: Collection[int], error: WechatError) -> Job:
    """Record on tags why their members cannot be read, together with the progress of the job."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        await jobs.lock_job(conn, job.channel_id, job.job_id)
        await remote_tags.note_sync_failure(
            conn,
            job.channel_id,
            tag_ids,
            job.job_id,
            runtime.clock(),
            error=error.message_for_clients,
            errcode=error.errcode,
        )
        return await save_progress(conn, runtime, job)


async def _keep(runtime: Runtime, job: Job, tag_id: int, remote_tag_id: int, page: MemberPage) -> Job:
    """Write a page, and return the job after it. Raises TagDeletedError, _UnlinkedError, ChannelNotBoundError."""
    for attempt in range(MAX_ATTEMPTS):
        people = await _resolve_people(runtime, job.channel_id, page)
        try:
            async with runtime.pool.acquire() as conn, conn.transaction():
                notifications = await _add_batch(conn, runtime, job, tag_id, page, people)
                known = replace(page, ordinals=people.ordinals)
                after = await keep_member_page(conn, runtime, _after(job, page), tag_id, known, synced=True)
                # Still under the lock of the link, which the page was kept under.
                link = (await remote_tags.linked_tags(conn, job.channel_id, [tag_id])).get(tag_id)
                if link is None or link.remote_tag_id != remote_tag_id:
                    raise _UnlinkedError
                if not page.next_cursor:
                    await remote_tags.note_sync_success(conn, job.channel_id, [tag_id], job.job_id, runtime.clock())
        except (UserForgottenError, DeadlockError, StaleStatementError):
            if attempt == MAX_ATTEMPTS - 1:
                raise
        else:
            runtime.publisher.publish(notifications)
            return after
    raise AssertionError("the last attempt returns or raises")


async def _resolve_people(runtime: Runtime, channel_id: int, page: MemberPage) -> ResolvedPeople:
    """Return the users of a page, and create missing ones, but nobody who was forgotten."""
    async with runtime.pool.acquire() as conn:
        forgotten = (await channels.channel_state(conn, channel_id)).forgotten
    openids = split_openids(page.openids).openids
    return ResolvedPeople(*await find_or_create_users(runtime, channel_id, openids, forgotten_too=False), forgotten)


async def _add_batch(
    conn: Connection, runtime: Runtime, job: Job, tag_id: int, page: MemberPage, people: ResolvedPeople
) -> list[ChangeNotification]:
    batch = PreparedBatch(
        tag=KeyedTag(tag_id, tag_id),
        mode=ReturnMode.ADD,
        source=ReturnSource.OFFICIAL_ACCOUNT,
        subject=job.payload["subject"],
        expires_at=None,
        openids=tuple(openid for openid in page.openids if openid in people.ordinals),
        duplicates=0,
        rejected=(),
        unmatched=(),
    )
    if not batch.openids:
        return []
    written = await add_batches(conn, runtime, job.channel_id, [batch], people, cause=ChangeCause.IMPORT)
    return written.notifications


def _after(job: Job, page: MemberPage) -> Job:
    done = replace(job, done=job.done + len(page.openids))
    if page.next_cursor:
        return replace(done, payload={**job.payload, "cursor": page.next_cursor})
    return _next_tag(done)


def _next_tag(job: Job) -> Job:
    return replace(job, payload={**job.payload, "at": job.payload["at"] + 1, "cursor": "", "begun_anew": 0})


async def _save(runtime: Runtime, job: Job) -> Job:
    async with runtime.pool.acquire() as conn, conn.transaction():
        return await save_progress(conn, runtime, job)
