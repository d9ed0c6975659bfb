"""Start syncs: those that clients ask for, dry runs and what applies them, and those that keep tags in sync."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from service.domain.audit.recording import record
from service.domain.audit.values import job_ref, label_of, tag_ref
from service.domain.channels.lookup import find_channel
from service.domain.combos.expressions import AllowedStates, not_usable_reason
from service.domain.input_rules import name_error, normalise_name
from service.domain.jobs.starting import enqueue_job, start_job
from service.domain.official_account.refusals import require_official_account
from service.domain.official_account.sync.guard import too_many_removals
from service.domain.official_account.sync.naming import MAX_REMOTE_NAME_BYTES, MAX_REMOTE_TAGS, TOO_LONG, fits_remotely
from service.domain.official_account.sync.options import SyncOptions, options_of
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_open_catalogue
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ConflictError,
    FieldError,
    LimitExceededError,
    NotFoundError,
    TagNotUsableError,
    raise_field_errors,
)
from service.entities.jobs import Job, JobKind, JobState
from service.entities.principal import Permission, Principal
from service.entities.remote_tags import LinkedTag
from service.entities.syncs import SyncStage
from service.entities.tags import Catalogue, Tag, TagKey
from service.storage import jobs, remote_tags, sync_plans, syncs, tags
from service.storage.database.pool import Connection

RemoteNames = Sequence[tuple[TagKey, str]]
AUTOMATIC: Final = "keep-in-sync"


async def start_sync(
    runtime: Runtime,
    principal: Principal,
    channel_id: int,
    tag_ids: Sequence[TagKey],
    options: SyncOptions,
    remote_names: RemoteNames = (),
) -> Job:
    """Start to make tags and their remote ones the same, or with `dry_run` to plan that; return the job.

    Raises ForbiddenError, NotFoundError, LimitExceededError for more than 100 tags, BadInputError for names that WeChat
    does not take, TagNotUsableError, and what `require_official_account` raises.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.SYNC)
        if len(tag_ids) > MAX_REMOTE_TAGS:
            raise LimitExceededError(f"At most {MAX_REMOTE_TAGS} tags are synced at once.")
        _require_known(await tags.catalogue(conn, channel.channel_id), tag_ids)
        require_official_account(runtime, channel)
        catalogue = await lock_open_catalogue(conn, channel.channel_id)
        synced = _tags_to_sync(catalogue, tag_ids)
        links = await remote_tags.linked_tags(conn, channel.channel_id, [tag.tag_id for tag in synced])
        asked = _asked_names(synced, remote_names)
        _check_own_names(tag_ids, synced, links, asked)
        job = await start_job(
            conn,
            runtime,
            channel,
            JobKind.OFFICIAL_ACCOUNT_SYNC,
            total=None,
            payload=options.payload(SyncStage.LIST),
            principal=principal,
        )
        await _insert_tags(conn, job, synced, links, asked, runtime.clock())
        names = {tag.tag_id: label_of(tag, asked[tag.tag_id]) for tag in synced if tag.tag_id in asked}
        await record(
            conn,
            runtime,
            principal,
            "sync_to_official_account",
            channel_id=channel_id,
            target=job_ref(job),
            after={
                **options.values(),
                "tags": [tag_ref(channel_id, tag.tag_id) for tag in synced],
                "remote_names": [{"tag": tag_ref(channel_id, each), "name": name} for each, name in names.items()],
            },
        )
    enqueue_job(runtime, job)
    return job


async def apply_sync(
    runtime: Runtime, principal: Principal, channel_id: int, job_id: int, plan_hash: str, *, allow_removals: bool
) -> Job:
    """Start to carry out the plan of a dry run, and return the job; once started, the same one again.

    Raises ForbiddenError, NotFoundError, ConflictError where the plan is another one, is none or is over,
    LimitExceededError where it removes more than the guard allows, and what `require_official_account` raises.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.SYNC, sought="sync")
        plan = await jobs.job(conn, channel_id, job_id)
        if plan is None or plan.kind is not JobKind.OFFICIAL_ACCOUNT_SYNC:
            raise NotFoundError("sync")
        require_official_account(runtime, channel)
        await lock_open_catalogue(conn, channel_id)
        _check_plan(runtime, plan, plan_hash)
        applied = await syncs.sync_of_plan(conn, channel_id, job_id)
        if applied is not None and (known := await jobs.job(conn, channel_id, applied)) is not None:
            return known
        planned = (await syncs.sync_tags(conn, channel_id, [job_id])).get(job_id, [])
        if not allow_removals and (error := too_many_removals(plan.payload)):
            raise LimitExceededError(error)
        options = replace(options_of(plan.payload), dry_run=False, allow_removals=allow_removals)
        payload = {**plan.payload, **options.payload(SyncStage.CHECK), "plan": job_id}
        job = await start_job(
            conn,
            runtime,
            channel,
            JobKind.OFFICIAL_ACCOUNT_SYNC,
            total=sum(tag.differences for tag in planned if not tag.refused),
            payload=payload,
            principal=principal,
        )
        await syncs.copy_plan(conn, channel_id, job.job_id, job_id)
        await record(
            conn,
            runtime,
            principal,
            "apply_sync",
            channel_id=channel_id,
            target=job_ref(job),
            after={"plan": job_ref(plan), "allow_removals": allow_removals},
        )
    enqueue_job(runtime, job)
    return job


async def start_automatic_sync(
    conn: Connection, runtime: Runtime, channel: Channel, tag_ids: Sequence[int], *, tried_since: datetime
) -> Job | None:
    """Start to send what changed of tags that are kept in sync; the caller holds the channel's state.

    The job is to be enqueued after the commit. None while a sync of the channel is unfinished, and where nothing
    changed but what a sync since `tried_since` could not do: then nothing is written.
    """
    if await jobs.unfinished_job(conn, channel.channel_id, JobKind.OFFICIAL_ACCOUNT_SYNC) is not None:
        return None
    changed = await sync_plans.tags_out_of_sync(conn, channel.channel_id, tag_ids, tried_since, failed_too=False)
    if not changed:
        return None
    links = await remote_tags.linked_tags(conn, channel.channel_id, changed)
    job = await jobs.insert_job(
        conn,
        channel.channel_id,
        JobKind.OFFICIAL_ACCOUNT_SYNC,
        total=None,
        payload=SyncOptions(automatic=True).payload(SyncStage.LIST),
        created_by=AUTOMATIC,
        now=runtime.clock(),
    )
    names = [links[tag_id].remote_name for tag_id in changed]
    await syncs.insert_sync_tags(conn, channel.channel_id, job.job_id, changed, [None] * len(changed), names)
    return job


def _require_known(catalogue: Catalogue, tag_ids: Sequence[TagKey]) -> None:
    """Raise BadInputError without tags, NotFoundError for one of another channel as for one that is not there."""
    if not tag_ids:
        raise BadInputError(FieldError(("tag_ids",), "TOO_FEW", "At least one tag is synced."))
    if any(key.channel_id != catalogue.channel_id or key.tag_id not in catalogue.tags for key in tag_ids):
        raise NotFoundError("tag")


def _tags_to_sync(catalogue: Catalogue, tag_ids: Sequence[TagKey]) -> list[Tag]:
    """Return the tags, each once, in their order. Raises TagNotUsableError naming all that are not ACTIVE."""
    errors = [
        FieldError(("tag_ids", index), "TAG_NOT_USABLE", reason)
        for index, key in enumerate(tag_ids)
        if (reason := not_usable_reason(catalogue.tags[key.tag_id], AllowedStates.ACTIVE_ONLY)) is not None
    ]
    if errors:
        raise TagNotUsableError(errors[0].message, *errors)
    return [catalogue.tags[tag_id] for tag_id in dict.fromkeys(key.tag_id for key in tag_ids)]


def _asked_names(synced: Sequence[Tag], remote_names: RemoteNames) -> dict[int, str]:
    """Return the tidied names that were asked for, `{tag_id: name}`. Raises BadInputError naming all wrong ones."""
    known = {(tag.channel_id, tag.tag_id) for tag in synced}
    found: dict[int, str] = {}
    errors = []
    for index, (key, name) in enumerate(remote_names):
        tidied = normalise_name(name)
        if key not in known:
            errors.append(
                FieldError(("remote_names", index, "tag_id"), "NOT_SYNCED", "This tag is not among those to be synced.")
            )
        elif len(tidied) <= MAX_REMOTE_NAME_BYTES and (wrong := name_error("name", tidied)):
            errors.append(replace(wrong, path=("remote_names", index, "name")))
        elif not fits_remotely(tidied):
            errors.append(FieldError(("remote_names", index, "name"), "BAD_LENGTH", TOO_LONG))
        elif key.tag_id in found or tidied in found.values():
            errors.append(FieldError(("remote_names", index), "REPEATED", "Each tag has one name, each name one tag."))
        else:
            found[key.tag_id] = tidied
    raise_field_errors(errors)
    return found


def _check_own_names(
    tag_ids: Sequence[TagKey], synced: Sequence[Tag], links: Mapping[int, LinkedTag], asked: Mapping[int, str]
) -> None:
    """Raise BadInputError naming the tags that would get too long a remote name; a linked one keeps its name."""
    by_id = {tag.tag_id: tag for tag in synced}
    raise_field_errors(
        FieldError(("tag_ids", index), "NAME_TOO_LONG", TOO_LONG)
        for index, key in enumerate(tag_ids)
        if key.tag_id not in asked
        and (key.tag_id not in links or links[key.tag_id].remote_tag_id is None)
        and not fits_remotely(by_id[key.tag_id].name)
    )


async def _insert_tags(
    conn: Connection,
    job: Job,
    synced: Sequence[Tag],
    links: Mapping[int, LinkedTag],
    asked: Mapping[int, str],
    now: datetime,
) -> None:
    """Write the tags of a new job; from then on, whoever follows or unfollows is taken out of what is read of them."""
    options = options_of(job.payload)
    names = [
        asked.get(tag.tag_id) or (links[tag.tag_id].remote_name if tag.tag_id in links else tag.name) for tag in synced
    ]
    await syncs.insert_sync_tags(
        conn,
        job.channel_id,
        job.job_id,
        [tag.tag_id for tag in synced],
        [asked.get(tag.tag_id) for tag in synced],
        names,
    )
    for tag, name in zip(synced, names, strict=True):
        if tag.tag_id not in links:
            await remote_tags.link_tag(
                conn,
                job.channel_id,
                tag.tag_id,
                remote_tag_id=None,
                remote_name=name,
                keep_in_sync=False,
                remote_additions=options.remote_additions,
                job_id=job.job_id,
                now=now,
            )


def _check_plan(runtime: Runtime, plan: Job, plan_hash: str) -> None:
    """Raise ConflictError unless a job is a dry run whose plan this is and can still be carried out."""
    if not plan.payload["dry_run"] or plan.state is not JobState.DONE:
        raise ConflictError("Only a dry run that is DONE has a plan.")
    if plan.payload["hash"] != plan_hash:
        raise ConflictError("This is not the hash of the plan.")
    if plan.expires_at is None or plan.expires_at <= runtime.clock():
        raise ConflictError("The plan is over; plan anew.")
