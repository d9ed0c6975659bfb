"""Store what syncs to the Official Account do about each tag, whom they freeze, and who failed."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE
from service.entities.jobs import JobKind
from service.entities.syncs import SyncFailure, TagSync, TagSyncAction
from service.storage.audiences import BlockMembers
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class PlannedCounts(NamedTuple):
    """Count whom a plan of one tag is about; `drift` counts what others changed, `known_count` who has the tag."""

    to_add: int
    to_remove: int
    unchanged: int
    drift: int
    known_count: int


class RemoteBits(NamedTuple):
    """Hold who of a block has a remote tag, is to get it and to lose it, as bitmaps; None is nobody."""

    tag_id: int
    members: bytes | None
    to_add: bytes | None
    to_remove: bytes | None


class LostMembers(NamedTuple):
    """Hold who of a block is to lose a remote tag, and why they lost ours: as bitmaps, and as offsets."""

    block: int
    to_remove: bytes
    by_time: bytes | None
    otherwise: bytes | None
    offsets_by_time: Sequence[int]
    offsets_otherwise: Sequence[int]


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


async def set_named_after(conn: Connection, channel_id: int, tag_id: int, name: str) -> None:
    """Record what a tag is called, so that the remote one is renamed when that changes."""
    await conn.execute(STATEMENTS["set_named_after"], channel_id, tag_id, name)


async def count_remote_members(conn: Connection, channel_id: int, tag_ids: Collection[int]) -> dict[int, int]:
    """Count who is known to have the remote tags of tags, `{tag_id: people}`; tags without anybody are left out."""
    rows = await conn.fetch(STATEMENTS["count_remote_members"], channel_id, list(tag_ids))
    return {row["tag_id"]: row["members"] for row in rows}


async def drop_remote_members(conn: Connection, channel_id: int, tag_id: int) -> None:
    """Forget who had the remote tag of a tag, since WeChat has none."""
    await conn.execute(STATEMENTS["drop_remote_members"], channel_id, tag_id)


async def freeze_members(conn: Connection, tag: TagSync, *, remove_additions: bool, is_new: bool) -> PlannedCounts:
    """Freeze who is to get the remote tag of a tag and who is to lose it, and return how many they are.

    With `remove_additions` those lose it as well who got it from somebody else; with `is_new` nobody has it yet.
    """
    await conn.execute(STATEMENTS["drop_sync_members"], tag.channel_id, tag.job_id, tag.tag_id)
    row = await conn.fetchrow(
        STATEMENTS["freeze_sync_members"], tag.channel_id, tag.job_id, tag.tag_id, remove_additions, is_new
    )
    return PlannedCounts(0, 0, 0, 0, 0) if row is None else PlannedCounts(*row)


async def save_counts(conn: Connection, tag: TagSync, action: TagSyncAction, counts: PlannedCounts) -> None:
    """Write how many people the plan of a tag is about."""
    await conn.execute(
        STATEMENTS["save_sync_counts"],
        tag.channel_id,
        tag.job_id,
        tag.tag_id,
        action,
        counts.to_add,
        counts.to_remove,
        counts.unchanged,
        counts.drift,
        counts.known_count,
    )


async def crowded_blocks(conn: Connection, channel_id: int, job_id: int, limit: int) -> list[int]:
    """Return the blocks in which somebody may be about to have more than `limit` remote tags."""
    return [row["block"] for row in await conn.fetch(STATEMENTS["crowded_blocks"], channel_id, job_id, limit)]


async def remote_bits_of_block(conn: Connection, channel_id: int, job_id: int, block: int) -> list[RemoteBits]:
    """Return who of a block has each remote tag, and what a plan changes about that."""
    return [
        RemoteBits(row["tag_id"], _bytes(row["members"]), _bytes(row["to_add"]), _bytes(row["to_remove"]))
        for row in await conn.fetch(STATEMENTS["members_of_block"], channel_id, job_id, block)
    ]


async def spare_from_addition(
    conn: Connection, channel_id: int, job_id: int, tag_id: int, block: int, bitmap: bytes
) -> None:
    """Take people who have no room for another tag out of a plan, and count them so."""
    bits = BitString.frombytes(bitmap, BLOCK_SIZE)
    await conn.execute(STATEMENTS["spare_from_addition"], channel_id, job_id, tag_id, block, bits)


async def removals_by_time(
    conn: Connection, channel_id: int, job_id: int, tag_id: int, since: datetime
) -> list[LostMembers]:
    """Return who is to lose a remote tag, block by block, and why they lost ours since an instant."""
    return [
        LostMembers(
            row["block"],
            row["to_remove"].bytes,
            _bytes(row["by_time"]),
            _bytes(row["otherwise"]),
            row["offsets_by_time"] or (),
            row["offsets_otherwise"] or (),
        )
        for row in await conn.fetch(STATEMENTS["removals_by_time"], channel_id, job_id, tag_id, since)
    ]


async def settle_synced_members(conn: Connection, channel_id: int, tag_id: int) -> None:
    """Record of a tag that was synced what both sides agree on now; the caller holds the link.

    So whoever got the remote tag from others while having ours loses it with ours.
    """
    await conn.execute(STATEMENTS["settle_synced_members"], channel_id, tag_id)


async def frozen_members(
    conn: Connection, channel_id: int, plan: int, tag_id: int, *, removing: bool, start: int, limit: int
) -> list[BlockMembers]:
    """Return the first `limit` blocks from `start` on in which people are to get a remote tag, or to lose it."""
    rows = await conn.fetch(STATEMENTS["frozen_sync_members"], channel_id, plan, tag_id, start, limit, removing)
    return [BlockMembers(row["block"], row["members"].bytes) for row in rows]


async def people_to_tag(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> list[PersonToTag]:
    """Return the people with these ordinals, ascending; who was forgotten is left out."""
    return [PersonToTag(*row) for row in await conn.fetch(STATEMENTS["people_to_tag"], channel_id, list(ordinals))]


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
    return [row["job_id"] for row in await conn.fetch(STATEMENTS["yield_to_job"], channel_id, job_id, now)]


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


async def tags_out_of_sync(conn: Connection, channel_id: int, tag_ids: Collection[int]) -> list[int]:
    """Return which linked tags differ from their remote ones as far as is known, in name or members, ascending."""
    return [row["tag_id"] for row in await conn.fetch(STATEMENTS["tags_out_of_sync"], channel_id, list(tag_ids))]


async def prune_syncs(conn: Connection, channel_id: int, *, jobs_before: datetime, frozen_before: datetime) -> None:
    """Delete syncs that finished before an instant, but for the last one of each tag, and whom others froze."""
    await conn.execute(STATEMENTS["prune_sync_jobs"], channel_id, jobs_before)
    await conn.execute(STATEMENTS["prune_frozen_members"], channel_id, frozen_before)
    await conn.execute(STATEMENTS["prune_sync_tags"], channel_id)
    await conn.execute(STATEMENTS["prune_sync_failures"], channel_id)


def _bytes(bits: BitString | None) -> bytes | None:
    return None if bits is None else bytes(bits.bytes)


def _tag_sync(row: asyncpg.Record) -> TagSync:
    values = dict(row)
    values["action"] = TagSyncAction(row["action"])
    values["ids_before"] = None if row["ids_before"] is None else tuple(row["ids_before"])
    return TagSync(**values)
