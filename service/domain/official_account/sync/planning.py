"""Plan a sync: list the remote tags, read who has those that are ours or are to be, and freeze what differs."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final

import orjson

from service.domain.jobs.running import JobMustWaitError, save_progress
from service.domain.official_account import quotas
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.member_reading import fetch_member_page, keep_member_page
from service.domain.official_account.sync.guard import guarded_removals
from service.domain.official_account.sync.limits import MAX_TAGS_PER_USER, without_room
from service.domain.official_account.sync.naming import Naming, TagToName, name_tags
from service.domain.official_account.sync.options import SyncOptions, options_of
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_BYTES, offsets_in, ordinal_at
from service.entities.channels import Channel
from service.entities.jobs import Job, JobChangeNotification, JobKind, JobState
from service.entities.remote_tags import LinkedTag, RemoteAdditions
from service.entities.syncs import SyncStage, TagSync, TagSyncAction
from service.storage import jobs, remote_tags, sync_plans, syncs, tags
from service.storage.database.pool import Connection
from service.storage.sync_plans import RemoteBits
from service.wechat.api.tag_calls import (
    MAX_OPENIDS_PER_TAGGING,
    TAGGING,
    UNTAGGING,
    RemoteTag,
    list_tags,
)

# Those that read or change who has a remote tag do so one after the other.
SERIALISED: Final = (JobKind.OFFICIAL_ACCOUNT_SYNC, JobKind.REMOTE_TAG_IMPORT)
TURN_INTERVAL: Final = timedelta(seconds=5)
AT_LIMIT: Final = 45059
NOT_IN_EFFECT: Final = "The tag is no longer in effect; the remote tag stays as it is."


async def list_remote(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Ask which tags the account has, and decide what becomes of each of ours."""
    await wait_for_turn(runtime, job)
    began = time.monotonic()
    remote = await call_wechat(runtime, channel, list_tags())
    seconds = time.monotonic() - began
    options = options_of(job.payload)
    async with runtime.pool.acquire() as conn, conn.transaction():
        await jobs.lock_job(conn, job.channel_id, job.job_id)
        named, warnings = await name_tags_of(conn, job, remote)
        catalogue = await tags.catalogue(conn, job.channel_id)
        for tag in named:
            await syncs.save_action(conn, tag)
        await _forget_members_of_others(conn, job, named)
        known = [tag.tag_id for tag in named if tag.remote_tag_id is not None]
        payload = {
            **job.payload,
            "stage": SyncStage.READ.value,
            "todo": [] if options.automatic else known,
            "cursor": "",
            "listed": [(tag.remote_tag_id, tag.name) for tag in remote],
            "our_names": [(tag.tag_id, catalogue.tags[tag.tag_id].name) for tag in named],
            "seconds_per_call": seconds,
            "warnings": warnings,
        }
        return await save_progress(conn, runtime, replace(job, payload=payload))


async def _forget_members_of_others(conn: Connection, job: Job, named: Sequence[TagSync]) -> None:
    """Forget who had the former remote tags, now gone, of tags that are to have another: that is read anew."""
    adopting = [tag.tag_id for tag in named if tag.action is TagSyncAction.ADOPT]
    await remote_tags.lock_linked_tags(conn, job.channel_id, adopting)
    for tag_id in adopting:
        await sync_plans.drop_remote_members(conn, job.channel_id, tag_id)


async def read_members(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Read the next page of who has a remote tag; after the last one go on to plan."""
    async with runtime.pool.acquire() as conn:
        tags_of_job = await syncs.tags_of_job(conn, job)
    todo: list[int] = job.payload["todo"]
    remote_ids = {tag.tag_id: tag.remote_tag_id for tag in tags_of_job}
    if not todo:
        planned = [tag.tag_id for tag in tags_of_job if not tag.refused]
        return await _save(
            runtime, replace(job, payload={**job.payload, "stage": SyncStage.PLAN.value, "todo": planned})
        )
    tag_id = todo[0]
    remote_id = remote_ids[tag_id]
    assert remote_id is not None  # noqa: S101 - only such tags are to be read
    page = await fetch_member_page(runtime, channel, remote_id, job.payload["cursor"])
    rest = todo if page.next_cursor else todo[1:]
    wanted = replace(job, payload={**job.payload, "todo": rest, "cursor": page.next_cursor})
    async with runtime.pool.acquire() as conn, conn.transaction():
        return await keep_member_page(conn, runtime, wanted, tag_id, page)


async def plan(runtime: Runtime, channel: Channel, job: Job) -> Job:
    """Freeze what differs of the next tag; after the last one find the limits, and end a dry run."""
    todo: list[int] = job.payload["todo"]
    quota_left = await _quota_left(runtime, channel) if not todo else None
    async with runtime.pool.acquire() as conn, conn.transaction():
        await jobs.lock_job(conn, job.channel_id, job.job_id)
        if todo:
            await _freeze(conn, job, todo[0])
            return await save_progress(conn, runtime, replace(job, payload={**job.payload, "todo": todo[1:]}))
        await _spare_those_at_limit(conn, job)
        ended = await _end_plan(conn, runtime, job, quota_left)
        return await save_progress(conn, runtime, ended)


async def wait_for_turn(runtime: Runtime, job: Job) -> None:
    """Raise JobMustWaitError while an older job reads or changes remote tags.

    A sync that keeps tags the same and waits, maybe until tomorrow for its share of the quota, ends instead.
    """
    async with runtime.pool.acquire() as conn:
        if not job.payload.get("automatic"):
            ended = await syncs.yield_to_job(conn, job.channel_id, job.job_id, runtime.clock())
            runtime.publisher.publish([JobChangeNotification(job.channel_id, job_id) for job_id in ended])
        at = await syncs.earlier_remote_job(conn, job.channel_id, job.job_id, SERIALISED)
    if at is not None:
        soon = runtime.clock() + TURN_INTERVAL
        raise JobMustWaitError("An earlier sync of the account is not finished.", max(at, soon))


async def name_tags_of(conn: Connection, job: Job, remote: Sequence[RemoteTag]) -> Naming:
    """Return what is to be done about the tags of a sync, by what WeChat lists now."""
    channel_id = job.channel_id
    asked = await syncs.tags_of_job(conn, job)
    catalogue = await tags.catalogue(conn, channel_id)
    links = await remote_tags.linked_tags(conn, channel_id)
    named_after = await syncs.names_at_linking(conn, channel_id, [tag.tag_id for tag in asked])
    makings = await syncs.unanswered_makings(conn, channel_id, job.job_id, [tag.tag_id for tag in asked])
    usable = [tag for tag in asked if catalogue.tags[tag.tag_id].shown]
    found = name_tags(
        [
            TagToName(
                tag,
                catalogue.tags[tag.tag_id],
                links.get(tag.tag_id),
                named_after.get(tag.tag_id),
                makings.get(tag.tag_id, ()),
            )
            for tag in usable
        ],
        remote,
        {
            link.remote_tag_id
            for link in links.values()
            if link.remote_tag_id is not None and catalogue.tags[link.tag_id].deleted_at is None
        },
        options_of(job.payload).on_conflict,
    )
    gone = [
        replace(tag, action=TagSyncAction.REFUSED, remote_tag_id=None, error=NOT_IN_EFFECT)
        for tag in asked
        if tag not in usable
    ]
    return Naming([*found.tags, *gone], found.warnings)


async def _freeze(conn: Connection, job: Job, tag_id: int) -> None:
    [tag] = [each for each in (await syncs.tags_of_job(conn, job)) if each.tag_id == tag_id]
    link = (await remote_tags.linked_tags(conn, job.channel_id, [tag_id])).get(tag_id)
    counts = await sync_plans.freeze_members(
        conn,
        tag,
        remove_additions=_removes_additions(options_of(job.payload), link),
        is_new=tag.action is TagSyncAction.CREATE,
    )
    linked = link is not None and link.remote_tag_id is not None and link.remote_tag_id == tag.remote_tag_id
    if not linked:
        counts = counts._replace(drift=0)
    differs = counts.to_add + counts.to_remove > 0
    nothing = tag.action is TagSyncAction.UPDATE and not differs
    await sync_plans.save_counts(conn, tag, TagSyncAction.NOTHING if nothing else tag.action, counts)


def _removes_additions(options: SyncOptions, link: LinkedTag | None) -> bool:
    chosen = link.remote_additions if options.automatic and link is not None else options.remote_additions
    return chosen is RemoteAdditions.REMOVE


async def _spare_those_at_limit(conn: Connection, job: Job) -> None:
    """Take out whoever would get more remote tags than WeChat allows; most channels have fewer than that."""
    order = [tag.tag_id for tag in await syncs.tags_of_job(conn, job) if tag.to_add]
    links = await remote_tags.linked_tags(conn, job.channel_id)
    if len(links.keys() | set(order)) <= MAX_TAGS_PER_USER:
        return
    for block in await sync_plans.crowded_blocks(conn, job.channel_id, job.job_id, MAX_TAGS_PER_USER):
        found = await sync_plans.remote_bits_of_block(conn, job.channel_id, job.job_id, block)
        for tag_id, full in _without_room(found, order).items():
            bitmap = full.to_bytes(BLOCK_BYTES)
            await sync_plans.spare_from_addition(conn, job.channel_id, job.job_id, tag_id, block, bitmap)
            failures = {ordinal_at(block, offset): AT_LIMIT for offset in offsets_in(bitmap)}
            await syncs.insert_failures(conn, job.channel_id, job.job_id, tag_id, failures)


def _without_room(found: Sequence[RemoteBits], order: Sequence[int]) -> dict[int, int]:
    return without_room(
        {each.tag_id: int.from_bytes(each.members) for each in found if each.members is not None},
        {each.tag_id: int.from_bytes(each.to_add) for each in found if each.to_add is not None},
        {each.tag_id: int.from_bytes(each.to_remove) for each in found if each.to_remove is not None},
        order,
    )


async def _end_plan(conn: Connection, runtime: Runtime, job: Job, quota_left: int | None) -> Job:
    """Return the job with its plan summed up: as done if it is a dry run, else on its way to be carried out."""
    planned = [tag for tag in await syncs.tags_of_job(conn, job) if not tag.refused]
    catalogue = await tags.catalogue(conn, job.channel_id)
    names = {tag.tag_id: catalogue.tags[tag.tag_id].name for tag in planned}
    removals = await guarded_removals(conn, runtime, job, planned, names)
    calls = sum(_calls_for(tag) for tag in planned)
    options = options_of(job.payload)
    payload: dict[str, Any] = {
        **job.payload,
        "stage": SyncStage.MAKE.value,
        "todo": [tag.tag_id for tag in planned],
        "removals": [*removals.values()],
        "guarded": [*removals],
        "calls": calls,
        "seconds": round(calls * job.payload["seconds_per_call"]),
        "quota_left": quota_left,
        "warnings": [*job.payload["warnings"], *removals.values(), *_warnings(planned, names, calls, quota_left)],
    }
    total = sum(tag.differences for tag in planned)
    if not options.dry_run:
        return replace(job, payload=payload, total=total)
    payload["hash"] = _hash_of(job, await syncs.tags_of_job(conn, job))
    expires_at = runtime.clock() + runtime.settings.sync.plan_valid_for
    return replace(
        job, payload=payload, total=total, done=total, state=JobState.DONE, expires_at=expires_at, resumes_at=None
    )


def _calls_for(tag: TagSync) -> int:
    made = tag.action in {TagSyncAction.CREATE, TagSyncAction.RENAME}
    return made - (-tag.to_add // MAX_OPENIDS_PER_TAGGING) - (-tag.to_remove // MAX_OPENIDS_PER_TAGGING)


def _warnings(
    planned: Sequence[TagSync], names: Mapping[int, str], calls: int, quota_left: int | None
) -> Iterator[str]:
    for tag in planned:
        if tag.at_tag_limit:
            yield f"{tag.at_tag_limit:,} people have {MAX_TAGS_PER_USER} tags and no room for {names[tag.tag_id]}."
    if quota_left is not None and calls > quota_left:
        yield f"{calls:,} calls are needed, and {quota_left:,} are left today: it goes on tomorrow."


def _hash_of(job: Job, planned: Sequence[TagSync]) -> str:
    """Return the hash of a plan: what it does under which names to how many people; whom, its job has frozen."""
    said = [
        (tag.tag_id, tag.action.value, tag.remote_tag_id, tag.remote_name, tag.to_add, tag.to_remove, tag.listed_count)
        for tag in planned
    ]
    options = options_of(job.payload)
    what = [job.channel_id, job.job_id, options.remote_additions.value, options.keep_in_sync, said]
    return sha256(orjson.dumps(what)).hexdigest()


async def _quota_left(runtime: Runtime, channel: Channel) -> int | None:
    """Return how many calls that tag or untag are left of the day, whichever are fewer; None if neither is known."""
    found = [await quotas.calls_left(runtime, channel, path) for path in (TAGGING, UNTAGGING)]
    return min((each for each in found if each is not None), default=None)


async def _save(runtime: Runtime, wanted: Job) -> Job:
    async with runtime.pool.acquire() as conn, conn.transaction():
        return await save_progress(conn, runtime, wanted)
