"""Store which tags are linked to tags of the Official Account, and who is known to have those.

A transaction that writes the people of a remote tag first locks its link. One that learns that somebody followed or
unfollowed shares the links after it wrote so. Whichever comes second thus sees what the other did, and nobody is
recorded as having a tag that WeChat dropped. Links are locked after heads, users and jobs.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from service.entities.remote_tags import LinkedTag, RemoteAdditions
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class KeptLinks:
    """Hold how many tags fail to be kept in sync, and since when the one that has waited longest does.

    `agreed_at` is when it was last the same on both sides, None if all are now; `looked_at` when the one that has not
    been looked at for longest was, None if no tag is kept in sync.
    """

    failing: int
    agreed_at: datetime | None
    looked_at: datetime | None


async def linked_tags(
    conn: Connection, channel_id: int, tag_ids: Collection[int] | None = None
) -> dict[int, LinkedTag]:
    """Return the links of these tags, or of all that a channel has or had, `{tag_id: link}`."""
    rows = await conn.fetch(STATEMENTS["linked_tags"], channel_id, None if tag_ids is None else list(tag_ids))
    return {row["tag_id"]: _linked_tag(row) for row in rows}


async def lock_linked_tags(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> dict[int, LinkedTag]:
    """Lock the links of these tags, in ascending order, and return them, `{tag_id: link}`."""
    rows = await conn.fetch(STATEMENTS["lock_linked_tags"], channel_id, list(tag_ids))
    return {row["tag_id"]: _linked_tag(row) for row in rows}


async def link_tag(
    conn: Connection,
    channel_id: int,
    tag_id: int,
    *,
    remote_tag_id: int | None,
    remote_name: str,
    keep_in_sync: bool,
    remote_additions: RemoteAdditions,
    job_id: int,
    now: datetime,
    members_are_read: bool = False,
) -> None:
    """Link a tag to a remote tag, or with `remote_tag_id` None note that it is about to be.

    Who had another remote tag before is forgotten, unless `members_are_read`, those of the new one. Raises
    asyncpg.UniqueViolationError if another tag of the channel is linked to the remote one.
    """
    await conn.execute(
        STATEMENTS["link_tag"],
        channel_id,
        tag_id,
        remote_tag_id,
        remote_name,
        keep_in_sync,
        remote_additions,
        job_id,
        now,
        members_are_read,
    )


async def set_keep_in_sync(conn: Connection, channel_id: int, tag_ids: Collection[int], *, keep_in_sync: bool) -> None:
    """Record whether tags are kept in sync; the caller holds their links."""
    await conn.execute(STATEMENTS["set_keep_in_sync"], channel_id, list(tag_ids), keep_in_sync)


async def unlink_tag(conn: Connection, channel_id: int, tag_id: int) -> None:
    """End the link of a tag, and forget who had the remote tag; name and last success stay."""
    await conn.execute(STATEMENTS["unlink_tag"], channel_id, tag_id)


async def note_sync_success(
    conn: Connection, channel_id: int, tag_ids: Collection[int], job_id: int, now: datetime
) -> None:
    """Record that a sync made these tags the same on both sides."""
    await conn.execute(STATEMENTS["note_sync_success"], channel_id, list(tag_ids), job_id, now)


async def note_sync_failure(
    conn: Connection,
    channel_id: int,
    tag_ids: Collection[int],
    job_id: int | None,
    now: datetime,
    *,
    error: str,
    errcode: int | None = None,
) -> None:
    """Record why a sync did not make these tags the same; `job_id` is None where none could be begun."""
    await conn.execute(STATEMENTS["note_sync_failure"], channel_id, list(tag_ids), job_id, now, error, errcode)


async def add_remote_members(
    conn: Connection, channel_id: int, tag_id: int, moved_at: Mapping[int, datetime | None]
) -> None:
    """Record that people were given a remote tag, `{ordinal: the later of followed_at and unfollowed_at}`.

    The instants are as they were when the call was claimed; whoever moved since is passed over. The caller holds the
    link.
    """
    await conn.execute(STATEMENTS["add_remote_members"], channel_id, tag_id, list(moved_at), list(moved_at.values()))


async def remove_remote_members(conn: Connection, channel_id: int, tag_id: int, ordinals: Collection[int]) -> None:
    """Record that a remote tag was taken from people; the caller holds the link."""
    await conn.execute(STATEMENTS["remove_remote_members"], channel_id, tag_id, list(ordinals))


async def clear_remote_members(conn: Connection, channel_id: int, ordinals: Collection[int]) -> None:
    """Record that people have no remote tag, since they followed, unfollowed or are forgotten; this was written before.

    Whoever is told only now to have followed before anything was known of a remote tag keeps what was read since.
    Costs one look where no tag of the channel was ever linked.
    """
    if await conn.fetch(STATEMENTS["share_linked_tags"], channel_id):
        await conn.execute(STATEMENTS["clear_remote_members"], channel_id, list(ordinals))


async def channels_to_look_at(conn: Connection, before: datetime) -> list[int]:
    """Return the channels with linked tags in which something changed since a look, or that had none since `before`."""
    return [row["channel_id"] for row in await conn.fetch(STATEMENTS["channels_to_look_at"], before)]


async def begin_look(conn: Connection, channel_id: int, now: datetime) -> None:
    """Record that the linked tags of a channel are looked at; a statement after this one sees what that is about."""
    await conn.execute(STATEMENTS["begin_look"], channel_id, now)


async def look_again(conn: Connection, channel_id: int, tag_ids: Collection[int]) -> None:
    """Have these tags looked at next time, though nothing may have changed."""
    await conn.execute(STATEMENTS["look_again"], channel_id, list(tag_ids))


async def save_look(conn: Connection, channel_id: int, *, same: Collection[int], differing: Collection[int]) -> None:
    """Record whether tags are in sync by what a look found; one whose last sync failed is not."""
    await conn.execute(STATEMENTS["save_look"], channel_id, list(same), list(differing))


async def note_trial(conn: Connection, channel_id: int, tag_ids: Collection[int], now: datetime) -> None:
    """Record that a look began a sync of these tags."""
    await conn.execute(STATEMENTS["note_trial"], channel_id, list(tag_ids), now)


async def halt_links(conn: Connection, channel_id: int) -> list[int]:
    """Stop syncing deleted and lapsed tags, and return those that are new among them."""
    return [row["tag_id"] for row in await conn.fetch(STATEMENTS["halt_links"], channel_id)]


async def kept_links(conn: Connection) -> KeptLinks:
    """Return how the tags of all channels that are kept in sync are doing."""
    row = await conn.fetchrow(STATEMENTS["kept_links"])
    assert row is not None  # noqa: S101 - an aggregate always has a row
    return KeptLinks(row["failing"], row["agreed_at"], row["looked_at"])


async def failing_links(conn: Connection, before: datetime) -> list[LinkedTag]:
    """Return the links of living tags, of all channels, that are to be kept in sync and fail since `before`."""
    return [_linked_tag(row) for row in await conn.fetch(STATEMENTS["failing_links"], before)]


async def stray_remote_members(conn: Connection, channel_id: int, block: int) -> list[int]:
    """Return the ordinals of a locked block that no user has and that have remote tags all the same."""
    return [row["ordinal"] for row in await conn.fetch(STATEMENTS["stray_remote_members"], channel_id, block)]


async def unlinked_remote_members(conn: Connection, channel_id: int, block: int) -> list[int]:
    """Return the tags without a remote one of which a block says who had that when it was synced."""
    return [row["tag_id"] for row in await conn.fetch(STATEMENTS["unlinked_remote_members"], channel_id, block)]


async def drop_remote_members_of_block(conn: Connection, channel_id: int, block: int, tag_ids: Collection[int]) -> None:
    """Forget of a block who has these remote tags."""
    await conn.execute(STATEMENTS["drop_remote_members_of_block"], channel_id, block, list(tag_ids))


def _linked_tag(row: asyncpg.Record) -> LinkedTag:
    return LinkedTag(
        channel_id=row["channel_id"],
        tag_id=row["tag_id"],
        remote_tag_id=row["remote_tag_id"],
        remote_name=row["remote_name"],
        keep_in_sync=row["keep_in_sync"],
        remote_additions=RemoteAdditions(row["remote_additions"]),
        in_sync=row["in_sync"],
        last_job_id=row["last_job_id"],
        last_success_at=row["last_success_at"],
        failing_since=row["failing_since"],
        error=row["error"],
        errcode=row["errcode"],
        tried_at=row["tried_at"],
    )
