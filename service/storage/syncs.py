"""Store what syncs to the Official Account do about each tag, whom they freeze, and who failed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from service.entities.jobs import Job, JobKind
from service.entities.syncs import SyncFailure, TagSync, TagSyncAction
from service.storage.change_feed import new_notice_id
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class UnansweredMaking(NamedTuple):
    """Hold the name of a remote tag that may have been made, and the ids of those that there were before."""

    remote_name: str
    ids_before: frozenset[int]


class PersonToTag(NamedTuple):
    """Hold a person whose tags are changed; `moved_at` is when they last followed or unfollowed."""

    ordinal: int
    openid: str
    following: bool
    moved_at: datetime | None


async def insert_sync_tags(
    conn: Connection,
    channel_id: int,
    job_id: int,
    tag_ids: Sequence[int],
    asked_names: Sequence[str | None],
    remote_names: Sequence[str],
) -> None:
    """Insert the tags of a new sync, with the name that was asked for and the one they are shown with at first."""
    await conn.execute(
        STATEMENTS["insert_sync_tags"], channel_id, job_id, list(tag_ids), list(asked_names), list(remote_names)
    )


async def copy_plan(conn: Connection, channel_id: int, job_id: int, plan: int) -> None:
    """Give a new sync the tags of the dry run that it applies, and whom that found to be at the limit of tags."""
    await conn.execute(STATEMENTS["copy_sync_tags"], channel_id, job_id, plan)
    await conn.execute(STATEMENTS["copy_sync_failures"], channel_id, job_id, plan)


async def sync_tags(conn: Connection, channel_id: int, job_ids: Iterable[int]) -> dict[int, list[TagSync]]:
    """Return the tags of syncs in their order, `{job_id: tags}`."""
    found: dict[int, list[TagSync]] = {}
    for row in await conn.fetch(STATEMENTS["sync_tags"], channel_id, list(job_ids)):
        found.setdefault(row["job_id"], []).append(_tag_sync(row))
    return found


async def tags_of_job(conn: Connection, job: Job) -> list[TagSync]:
    """Return the tags of one sync, in its order."""
    return (await sync_tags(conn, job.channel_id, [job.job_id])).get(job.job_id, [])


async def save_action(conn: Connection, tag: TagSync) -> None:
    """Write what is to be done about a tag, under which name, and why nothing is."""
    await conn.execute(
        STATEMENTS["save_sync_action"],
        tag.channel_id,
        tag.job_id,
        tag.tag_id,
        tag.action,
        tag.remote_tag_id,
        tag.remote_name,
        tag.listed_count,
        tag.error,
        tag.errcode,
    )


async def names_at_linking(conn: Connection, channel_id: int, tag_ids: Collection[int]) -> dict[int, str | None]:
    """Return what tags were called when their remote tags were named by them, `{tag_id: name}`."""
    rows = await conn.fetch(STATEMENTS["named_after"], channel_id, list(tag_ids))
    return {row["tag_id"]: row["named_after"] for row in rows}


async def set_named_after(conn: Connection, channel_id: int, tag_id: int, name: str, *, declined: bool) -> None:
    """Record what a tag was called when its remote one was named, so that that is renamed when this changes.

    With `declined` the remote one kept the name that it had.
    """
    await conn.execute(STATEMENTS["set_named_after"], channel_id, tag_id, name, declined)


async def people_to_tag(conn: Connection, channel_id: int, tag_id: int, ordinals: Iterable[int]) -> list[PersonToTag]:
    """Return the people with these ordinals, ascending; who was forgotten is left out.

    Whoever is known to have the remote tag of a tag counts as following.
    """
    rows = await conn.fetch(STATEMENTS["people_to_tag"], channel_id, list(ordinals), tag_id)
    return [PersonToTag(*row) for row in rows]


async def advance(conn: Connection, tag: TagSync, *, removing: bool, upto: int, done: int, failed: int) -> None:
    """Record that everybody with an ordinal below `upto` is dealt with, of whom so many were done and failed.

    Locks the link of the tag, so that the next statement sees who followed or unfollowed.
    """
    await conn.execute(
        STATEMENTS["advance_sync_tag"], tag.channel_id, tag.job_id, tag.tag_id, upto, removing, done, failed
    )


async def insert_failures(
    conn: Connection, channel_id: int, job_id: int, tag_id: int, errcodes: Mapping[int, int | None]
) -> None:
    """Record who failed, `{ordinal: errcode}`."""
    await conn.execute(
        STATEMENTS["insert_sync_failures"], channel_id, job_id, tag_id, list(errcodes), list(errcodes.values())
    )


async def failures_page(
    conn: Connection, channel_id: int, job_id: int, tag_id: int, *, start: int, limit: int
) -> list[SyncFailure]:
    """Return the first `limit` failures of a tag with ordinals from `start` on."""
    rows = await conn.fetch(STATEMENTS["sync_failures_page"], channel_id, job_id, tag_id, start, limit)
    return [SyncFailure(*row) for row in rows]


async def count_failures(conn: Connection, channel_id: int, job_id: int, tag_ids: Collection[int]) -> dict[int, int]:
    """Count the failures of tags of a sync, `{tag_id: failures}`; tags without any are left out."""
    rows = await conn.fetch(STATEMENTS["count_sync_failures"], channel_id, job_id, list(tag_ids))
    return {row["tag_id"]: row["failures"] for row in rows}


async def intend_to_make(conn: Connection, tag: TagSync, ids_before: Collection[int], now: datetime) -> None:
    """Record that a remote tag is about to be made, and which there were before."""
    await conn.execute(STATEMENTS["intend_to_make_tag"], tag.channel_id, tag.job_id, tag.tag_id, list(ids_before), now)


async def unanswered_makings(
    conn: Connection, channel_id: int, job_id: int, tag_ids: Collection[int]
) -> dict[int, list[UnansweredMaking]]:
    """Return what earlier syncs set out to make for tags, without knowing whether they did, `{tag_id: makings}`."""
    found: dict[int, list[UnansweredMaking]] = {}
    for row in await conn.fetch(STATEMENTS["unanswered_makings"], channel_id, job_id, list(tag_ids)):
        making = UnansweredMaking(row["remote_name"], frozenset(row["ids_before"]))
        found.setdefault(row["tag_id"], []).append(making)
    return found


async def save_made_tag(conn: Connection, tag: TagSync, remote_tag_id: int) -> None:
    """Record the id of the remote tag of a tag."""
    await conn.execute(STATEMENTS["save_made_tag"], tag.channel_id, tag.job_id, tag.tag_id, remote_tag_id)


async def stop_tag(
    conn: Connection, tag: TagSync, *, error: str, errcode: int | None, action: TagSyncAction | None = None
) -> None:
    """Record why nothing more is done about a tag; with `action` that this was so from the beginning."""
    await conn.execute(STATEMENTS["stop_sync_tag"], tag.channel_id, tag.job_id, tag.tag_id, error, errcode, action)


async def is_being_synced(conn: Connection, channel_id: int, tag_id: int) -> bool:
    """Tell whether a sync of a tag that is no dry run is unfinished."""
    return bool(await conn.fetchval(STATEMENTS["is_being_synced"], channel_id, tag_id))


async def yield_to_job(conn: Connection, channel_id: int, job_id: int, now: datetime) -> list[int]:
    """Cancel the syncs before a job that were begun by no client and wait; return their ids."""
    rows = await conn.fetch(STATEMENTS["yield_to_job"], channel_id, job_id, now, new_notice_id())
    return [row["job_id"] for row in rows]


async def earlier_remote_job(
    conn: Connection, channel_id: int, job_id: int, kinds: Collection[JobKind]
) -> datetime | None:
    """Return when the oldest unfinished job before one of these kinds goes on; None if there is none."""
    found: datetime | None = await conn.fetchval(STATEMENTS["earlier_remote_job"], channel_id, job_id, list(kinds))
    return found


async def sync_of_plan(conn: Connection, channel_id: int, plan: int) -> int | None:
    """Return the number of the sync that applies a dry run; None if none does."""
    found: int | None = await conn.fetchval(STATEMENTS["sync_of_plan"], channel_id, plan)
    return found


async def prune_syncs(conn: Connection, channel_id: int, *, jobs_before: datetime, frozen_before: datetime) -> None:
    """Delete syncs that finished before an instant, but for the last one of each tag, and whom others froze."""
    await conn.execute(STATEMENTS["prune_sync_jobs"], channel_id, jobs_before)
    await conn.execute(STATEMENTS["prune_frozen_members"], channel_id, frozen_before)
    await conn.execute(STATEMENTS["prune_sync_tags"], channel_id)
    await conn.execute(STATEMENTS["prune_sync_failures"], channel_id)


def _tag_sync(row: asyncpg.Record) -> TagSync:
    values = dict(row)
    values["action"] = TagSyncAction(row["action"])
    values["ids_before"] = None if row["ids_before"] is None else tuple(row["ids_before"])
    return TagSync(**values)
