"""Check that a plan still holds, and make, adopt and rename remote tags.

A remote tag is made once: that it is about to be made is recorded before the call, with the remote tags that there are.
If no answer comes, a new and empty tag of its name is taken for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from service.domain.jobs.running import JobMustWaitError, save_progress
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.sync.guard import too_many_removals
from service.domain.official_account.sync.naming import same_list
from service.domain.official_account.sync.options import options_of, plan_of
from service.domain.official_account.sync.planning import NOT_IN_EFFECT, name_tags_of, wait_for_turn
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import ConflictError, LimitExceededError
from service.entities.jobs import Job
from service.entities.remote_tags import LinkedTag
from service.entities.syncs import SyncStage, TagSync, TagSyncAction
from service.storage import jobs, remote_tags, sync_plans, syncs, tags
from service.storage.database.pool import Connection
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import WechatError
from service.wechat.api.tag_calls import RemoteTag, create_tag, list_tags, rename_tag

LOOK_AGAIN_AFTER: Final = timedelta(seconds=5)
NAME_TAKEN: Final = 45157
# What a call for one tag can be refused with, which is about that tag alone.
ABOUT_THE_TAG: Final = frozenset({Decision.OUR_FAULT, Decision.UNKNOWN, Decision.SKIP_PERSON})


async def check(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Make sure that neither side moved since the plan. Raises ConflictError."""
    await wait_for_turn(runtime, job)
    remote = await call_wechat(runtime, channel, list_tags())
    async with runtime.pool.acquire() as conn, conn.transaction():
        await jobs.lock_job(conn, job.channel_id, job.job_id)
        plan = await jobs.job(conn, job.channel_id, plan_of(job))
        if plan is None or plan.expires_at is None or plan.expires_at <= runtime.clock():
            raise ConflictError("The plan is over; plan anew.")
        planned = await syncs.tags_of_job(conn, job)
        await _require_unmoved(conn, job, planned, remote)
        todo = [tag.tag_id for tag in planned if not tag.refused]
        payload = {**job.payload, "stage": SyncStage.MAKE.value, "todo": todo}
        return await save_progress(conn, runtime, replace(job, payload=payload))


async def _require_unmoved(conn: Connection, job: Job, planned: Sequence[TagSync], remote: Sequence[RemoteTag]) -> None:
    if not same_list(map(tuple, job.payload["listed"]), remote):
        raise ConflictError("The tags of the Official Account changed since the plan.")
    now = {tag.tag_id: tag for tag in (await name_tags_of(conn, job, remote)).tags}
    known = await sync_plans.count_remote_members(conn, job.channel_id, [tag.tag_id for tag in planned])
    for tag in planned:
        if tag.refused:
            continue
        if _identity(tag) != _identity(now[tag.tag_id]):
            raise ConflictError("A tag was renamed, linked or is no longer in effect since the plan.")
        if not _count_holds(tag, now[tag.tag_id].listed_count, known.get(tag.tag_id, 0)):
            raise ConflictError(f"The members of {tag.remote_name} at WeChat changed since the plan.")


def _identity(tag: TagSync) -> tuple[TagSyncAction, int | None, str]:
    action = TagSyncAction.UPDATE if tag.action is TagSyncAction.NOTHING else tag.action
    return action, tag.remote_tag_id, tag.remote_name


def _count_holds(tag: TagSync, listed: int | None, known: int) -> bool:
    """Tell whether a remote tag has as many members as when it was planned, less at most those who moved since.

    Who follows or unfollows loses the remote tag, and is known not to have it from then on; WeChat's count may lag.
    """
    if tag.listed_count is None or listed is None:
        return tag.listed_count == listed
    moved = max((tag.known_count or 0) - known, 0)
    return tag.listed_count - moved <= listed <= tag.listed_count


async def make(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Make, adopt or rename the next remote tag, and link it. Raises LimitExceededError before the first, if at all."""
    if not options_of(job.payload).allow_removals and (error := too_many_removals(job.payload)):
        raise LimitExceededError(error)
    todo: list[int] = job.payload["todo"]
    if not todo:
        payload = {**job.payload, "stage": SyncStage.REMOVE.value}
        async with runtime.pool.acquire() as conn, conn.transaction():
            return await save_progress(conn, runtime, replace(job, payload=payload))
    async with runtime.pool.acquire() as conn:
        found = await syncs.tags_of_job(conn, job)
        ours = (await tags.catalogue(conn, job.channel_id)).tags[todo[0]]
    [tag] = [each for each in found if each.tag_id == todo[0]]
    made_ids = [each.remote_tag_id for each in found if each.remote_tag_id is not None]
    rest = replace(job, payload={**job.payload, "todo": todo[1:]})
    if not ours.shown:
        return await _stop(runtime, rest, tag, NOT_IN_EFFECT, None)
    try:
        remote_id = await _remote_id(runtime, channel, job, tag, made_ids)
    except WechatError as error:
        if error.decision not in ABOUT_THE_TAG:
            raise
        return await _stop(runtime, rest, tag, error.message_for_clients, error.errcode)
    # As it was when the remote name was chosen: who renamed ours since has it renamed by the next sync.
    our_name = dict(job.payload["our_names"])[tag.tag_id]
    return await _link(runtime, rest, tag, our_name, remote_id)


async def _remote_id(runtime: Runtime, channel: Channel, job: Job, tag: TagSync, made_ids: Sequence[int]) -> int:
    """Return the id of the remote tag of a tag, which then has the right name. Raises what `call_wechat` does."""
    if tag.action is TagSyncAction.CREATE:
        return await _created_id(runtime, channel, job, tag, made_ids)
    assert tag.remote_tag_id is not None  # noqa: S101 - all others were found in WeChat's list
    if tag.action is TagSyncAction.RENAME:
        await call_wechat(runtime, channel, rename_tag(tag.remote_tag_id, tag.remote_name))
    return tag.remote_tag_id


async def _created_id(runtime: Runtime, channel: Channel, job: Job, tag: TagSync, made_ids: Sequence[int]) -> int:
    if tag.ids_before is not None:
        return await _found_or_created_id(runtime, channel, tag)
    before = {*made_ids, *(remote_id for remote_id, _ in job.payload["listed"])}
    async with runtime.pool.acquire() as conn, conn.transaction():
        await syncs.intend_to_make(conn, tag, before, runtime.clock())
    return await call_wechat(runtime, channel, create_tag(tag.remote_name))


async def _found_or_created_id(runtime: Runtime, channel: Channel, tag: TagSync) -> int:
    """Return the id of a remote tag that an earlier call may have made, or make it now.

    A new tag need not be listed at once; that its name is taken then says that it was made.
    """
    assert tag.ids_before is not None  # noqa: S101
    assert tag.made_at is not None  # noqa: S101
    listed = await call_wechat(runtime, channel, list_tags())
    new = [each for each in listed if each.name == tag.remote_name and each.remote_tag_id not in tag.ids_before]
    if new and not new[0].member_count:
        return new[0].remote_tag_id
    try:
        return await call_wechat(runtime, channel, create_tag(tag.remote_name))
    except WechatError as error:
        now = runtime.clock()
        if new or error.errcode != NAME_TAKEN or now >= tag.made_at + runtime.settings.sync.new_tag_patience:
            raise
        raise JobMustWaitError("The tag that was made is not listed yet.", now + LOOK_AGAIN_AFTER) from error


async def _link(runtime: Runtime, job: Job, tag: TagSync, our_name: str, remote_id: int) -> Job:
    options = options_of(job.payload)
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await save_progress(conn, runtime, job)
        link = await _locked_link(conn, tag, remote_id)
        if tag.action is TagSyncAction.CREATE:
            await sync_plans.drop_remote_members(conn, job.channel_id, tag.tag_id)
        await remote_tags.link_tag(
            conn,
            job.channel_id,
            tag.tag_id,
            remote_tag_id=remote_id,
            remote_name=tag.remote_name,
            keep_in_sync=options.keep_in_sync or (link is not None and link.keep_in_sync),
            remote_additions=link.remote_additions if options.automatic and link else options.remote_additions,
            job_id=job.job_id,
            now=runtime.clock(),
            members_are_read=tag.action is TagSyncAction.ADOPT,
        )
        keeps_name = tag.asked_name is None and tag.action in {TagSyncAction.UPDATE, TagSyncAction.NOTHING}
        await syncs.set_named_after(conn, job.channel_id, tag.tag_id, our_name, declined=keeps_name)
        await syncs.save_made_tag(conn, tag, remote_id)
    return job


async def _locked_link(conn: Connection, tag: TagSync, remote_id: int) -> LinkedTag | None:
    """Return the link of a tag, locked, and end that of a deleted tag of ours to the same remote tag."""
    links: Mapping[int, LinkedTag] = await remote_tags.linked_tags(conn, tag.channel_id)
    former = [each.tag_id for each in links.values() if each.remote_tag_id == remote_id and each.tag_id != tag.tag_id]
    locked = await remote_tags.lock_linked_tags(conn, tag.channel_id, [tag.tag_id, *former])
    if tag.action is TagSyncAction.ADOPT:
        for tag_id in former:
            await remote_tags.unlink_tag(conn, tag.channel_id, tag_id)
    return locked.get(tag.tag_id)


async def _stop(runtime: Runtime, job: Job, tag: TagSync, error: str, errcode: int | None) -> Job:
    """Record why nothing is done about a tag, and go on with the others."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        job = await save_progress(conn, runtime, job)
        await syncs.stop_tag(conn, tag, error=error, errcode=errcode, action=TagSyncAction.REFUSED)
    return job
