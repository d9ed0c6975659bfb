"""Take over tags that exist at the Official Account as return tags, linked for syncing (docs/specification.md §6.5).

The tags are made at once, in one transaction with the job that reads their members.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from service.domain.audit.recording import record
from service.domain.audit.values import job_ref, tag_ref
from service.domain.channels.lookup import find_channel
from service.domain.input_rules import name_error, normalise_name
from service.domain.jobs.starting import enqueue_job, start_job
from service.domain.official_account.refusals import require_official_account
from service.domain.official_account.remote_tags import tags_at_wechat
from service.domain.return_data.tag_keys import living_tags_by_key
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import TagChangeKind, TagEdit, lock_open_catalogue, new_tag, write_tag_edits
from service.domain.tags.naming import name_taken_errors
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.channels import Channel
from service.entities.errors import (
    BadInputError,
    ErrorCode,
    FieldError,
    LimitExceededError,
    UpstreamError,
    raise_field_errors,
)
from service.entities.jobs import Job, JobKind
from service.entities.principal import Permission, Principal
from service.entities.remote_tags import LinkedTag, RemoteAdditions
from service.entities.tags import Catalogue, TagKind, TagState
from service.storage import jobs, remote_tags
from service.storage.database.pool import Connection
from service.storage.return_data import batches
from service.wechat.api.tag_calls import SYSTEM_TAG_IDS, RemoteTag

MAX_TAGS_PER_IMPORT: Final = 100
CATEGORY: Final = "Official Account"
KIND: Final = JobKind.REMOTE_TAG_IMPORT


@dataclass(slots=True)
class _TakeOver:
    """Hold what one import makes and finds.

    `by_label` are the return tags of the category, `linked` the tags that are left as they are, and `reading` those
    whose members are to be read, each with the account's tag.
    """

    catalogue: Catalogue
    links: Mapping[int, LinkedTag]
    by_label: Mapping[str, int]
    now: datetime
    linked: list[int] = field(default_factory=list)
    reading: dict[int, RemoteTag] = field(default_factory=dict)
    edits: list[TagEdit] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


async def start_remote_import(
    runtime: Runtime, principal: Principal, channel_id: int, remote_tag_ids: Sequence[int]
) -> Job:
    """Make or find a return tag for each of these tags of the account, and return the job that reads their members.

    A tag that is linked already is left as it is, unless the import that linked it was never done. While an import of
    the same tags is unfinished, that one is returned.

    Raises ForbiddenError, NotFoundError, what `require_official_account` raises, and, before anything is made,
    BadInputError for no ids and ids of system tags, RequestError NOT_FOUND for ids that the account does not have,
    LimitExceededError for over 100 ids, over 1,000 tags of the channel or beside another import of the channel,
    NameTakenError, ChannelNotBoundError, and UpstreamError.
    """
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.SYNC)
    require_official_account(runtime, channel)
    wanted = _check_ids(remote_tag_ids)
    found = {tag.remote_tag_id: tag for tag in await tags_at_wechat(runtime, channel)}
    _require_known(remote_tag_ids, found)
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_open_catalogue(conn, channel_id)
        # What was found is of no use for another account, and nobody changes it now.
        if (await find_channel(conn, principal, channel_id, Permission.SYNC)).app_id != channel.app_id:
            raise UpstreamError("The channel has become another account meanwhile.")
        running = await jobs.unfinished_job(conn, channel_id, KIND)
        if running is not None:
            return _same_import(running, wanted)
        taking = await _take_over(conn, runtime, catalogue, {index: found[each] for each, index in wanted.items()})
        notifications = await _write(conn, catalogue, taking)
        job = await _start(conn, runtime, channel, principal, wanted, taking)
        made = [tag_ref(channel_id, edit.after.tag_id) for edit in taking.edits]
        await record(
            conn,
            runtime,
            principal,
            "import_remote_tags",
            channel_id=channel_id,
            target=job_ref(job),
            after={"remote_tag_ids": sorted(wanted), "tags_made": made},
        )
    runtime.publisher.publish(notifications)
    enqueue_job(runtime, job)
    return job


def imported_tag_ids(job: Job) -> list[int]:
    """Return the ids of our tags that an import is about, those that were linked before too."""
    return [*(tag_id for tag_id, _ in job.payload["tags"]), *job.payload["linked"]]


def _check_ids(remote_tag_ids: Sequence[int]) -> dict[int, int]:
    """Return the ids with their first places in the list. Raises BadInputError, LimitExceededError."""
    if not remote_tag_ids:
        raise BadInputError(FieldError(("remote_tag_ids",), "BAD_LENGTH", "Name at least one tag."))
    if len(remote_tag_ids) > MAX_TAGS_PER_IMPORT:
        raise LimitExceededError(f"At most {MAX_TAGS_PER_IMPORT} tags an import.")
    raise_field_errors(
        FieldError(("remote_tag_ids", index), "SYSTEM_TAG", f"Tag {each} is WeChat's own and cannot be taken over.")
        for index, each in enumerate(remote_tag_ids)
        if each in SYSTEM_TAG_IDS
    )
    return {each: remote_tag_ids.index(each) for each in remote_tag_ids}


def _require_known(remote_tag_ids: Sequence[int], found: Mapping[int, RemoteTag]) -> None:
    raise_field_errors(
        FieldError(
            ("remote_tag_ids", index),
            "NOT_FOUND",
            f"The Official Account has no tag {each}.",
            ErrorCode.NOT_FOUND,
        )
        for index, each in enumerate(remote_tag_ids)
        if each not in found
    )


def _same_import(running: Job, wanted: Collection[int]) -> Job:
    """Return the unfinished import if it is of the same tags. Raises LimitExceededError."""
    if running.payload["asked"] != sorted(wanted):
        raise LimitExceededError("Another import of tags is unfinished in this channel; wait for it, or cancel it.")
    return running


async def _take_over(
    conn: Connection, runtime: Runtime, catalogue: Catalogue, wanted: Mapping[int, RemoteTag]
) -> _TakeOver:
    """Find or prepare our tag for each of the account's, `{index in the input: tag}`.

    Raises NameTakenError, with all names that are.
    """
    links = await remote_tags.linked_tags(conn, catalogue.channel_id)
    by_remote_id = {link.remote_tag_id: link for link in links.values() if link.remote_tag_id is not None}
    keys = await living_tags_by_key(conn, catalogue)
    by_label = {label: tag.tag_id for (category, label), tag in keys.items() if category == CATEGORY}
    taking = _TakeOver(catalogue, links, by_label, runtime.clock())
    for index, tag in wanted.items():
        link = by_remote_id.get(tag.remote_tag_id)
        if link is not None and catalogue.tags[link.tag_id].deleted_at is not None:
            await remote_tags.unlink_tag(conn, catalogue.channel_id, link.tag_id)
            link = None
        if link is None:
            await _find_or_prepare(conn, taking, tag, index)
        elif await _was_left_undone(conn, link):
            taking.reading[link.tag_id] = tag
        elif catalogue.tags[link.tag_id].kind is TagKind.RETURN:
            taking.linked.append(link.tag_id)
    raise_field_errors(taking.errors)
    return taking


async def _was_left_undone(conn: Connection, link: LinkedTag) -> bool:
    """Tell whether an import linked a tag and ended before it had read all members; no import runs now."""
    if link.last_success_at is not None or link.last_job_id is None:
        return False
    last = await jobs.job(conn, link.channel_id, link.last_job_id)
    return last is not None and last.kind is KIND


async def _find_or_prepare(conn: Connection, taking: _TakeOver, tag: RemoteTag, index: int) -> None:
    """Find the return tag that has the name of the account's tag as its key, or prepare a new one.

    A name that belongs to another tag of the account already, or becomes the same when it is tidied, gets the id.
    """
    name = _tidy_name(tag)
    for label in (name, f"{name} ({tag.remote_tag_id})"):
        known = taking.by_label.get(label)
        if known is None and any(edit.after.name == label for edit in taking.edits):
            continue
        if known is None:
            await _prepare(conn, taking, tag, label, index)
            return
        if known not in taking.reading and _is_free(taking.links.get(known)):
            taking.reading[known] = tag
            return
    taking.errors.append(
        FieldError(("remote_tag_ids", index), "NAME_TAKEN", f"{label} is there already.", ErrorCode.NAME_TAKEN)
    )


def _is_free(link: LinkedTag | None) -> bool:
    return link is None or link.remote_tag_id is None


async def _prepare(conn: Connection, taking: _TakeOver, tag: RemoteTag, label: str, index: int) -> None:
    taken = name_taken_errors(taking.catalogue, CATEGORY, label, "remote_tag_ids")
    if taken:
        taking.errors += (replace(error, path=("remote_tag_ids", index)) for error in taken)
        return
    made = await new_tag(
        conn,
        taking.catalogue,
        kind=TagKind.RETURN,
        category=CATEGORY,
        name=label,
        description=None,
        state=TagState.ACTIVE,
        now=taking.now,
    )
    taking.catalogue = replace(taking.catalogue, tags={**taking.catalogue.tags, made.tag_id: made})
    taking.edits.append(TagEdit(TagChangeKind.CREATED, None, made))
    taking.reading[made.tag_id] = tag


def _tidy_name(tag: RemoteTag) -> str:
    """Return WeChat's name as we may store it; WeChat is freer with characters."""
    name = normalise_name(tag.name)
    return name if name_error("label", name) is None else f"Tag {tag.remote_tag_id}"


async def _write(conn: Connection, catalogue: Catalogue, taking: _TakeOver) -> list[ChangeNotification]:
    if not taking.edits:
        return []
    cause = ChangeCause.IMPORT
    _, notification = await write_tag_edits(conn, catalogue, taking.edits, cause=cause, now=taking.now)
    for edit in taking.edits:
        tag = edit.after
        await batches.insert_return_tag(conn, tag.channel_id, tag.tag_id, tag.category, tag.name)
    return [notification]


async def _start(
    conn: Connection,
    runtime: Runtime,
    channel: Channel,
    principal: Principal,
    wanted: Collection[int],
    taking: _TakeOver,
) -> Job:
    """Start the job, and link the tags whose members it reads."""
    payload = {
        "asked": sorted(wanted),
        "subject": principal.subject,
        "linked": taking.linked,
        "tags": [[tag_id, tag.remote_tag_id] for tag_id, tag in taking.reading.items()],
        "at": 0,
        "cursor": "",
        "begun_anew": 0,
    }
    total = sum(tag.member_count for tag in taking.reading.values())
    job = await start_job(conn, runtime, channel, KIND, total=total, payload=payload, principal=principal)
    for tag_id, tag in taking.reading.items():
        link = taking.links.get(tag_id)
        await remote_tags.link_tag(
            conn,
            channel.channel_id,
            tag_id,
            remote_tag_id=tag.remote_tag_id,
            remote_name=tag.name,
            keep_in_sync=link is not None and link.keep_in_sync,
            remote_additions=RemoteAdditions.KEEP if link is None else link.remote_additions,
            job_id=job.job_id,
            now=taking.now,
        )
    return job
