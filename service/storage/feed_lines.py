"""Read what entries of a feed tell: from the logs of blocks and of tag states, and from notices."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg

from service.entities.blocks import BLOCK_BYTES, bitmap_of
from service.storage.change_feed import FeedEntry, FeedState, feed_state_of
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

# After the last offset of a block, and what fits the column.
AFTER_LAST_OFFSET: Final = 2**15 - 1


class StoredEntry(NamedTuple):
    """Hold an entry, and the newest version that is no longer in the log it is read from."""

    entry: FeedEntry
    base_version: int


class FeedPart(NamedTuple):
    """Hold entries of a feed in order, the state of the feed, and how far the log of the tag states was deleted."""

    state: FeedState
    tag_base_version: int
    entries: list[StoredEntry]


class EntryRange(NamedTuple):
    """Name what is to be read of a block's entry: what comes after a version and offset, up to a version."""

    seq: int
    block: int
    after_version: int
    after_offset: int
    to_version: int


class UserLine(NamedTuple):
    """Hold what one version of a block did to one person; to many of them where `offset` is None."""

    seq: int
    block: int
    version: int
    offset: int | None
    at: datetime
    cause: str
    added: Sequence[int] | None
    removed: Sequence[int] | None


class BulkLine(NamedTuple):
    """Hold, as bitmaps of a block, who gained and who lost a tag by one version."""

    tag_id: int
    added: bytes | None
    removed: bytes | None


class TagLine(NamedTuple):
    """Hold what one version of the tag states did to a tag or, with `tag_id` 0, to the gate; and the tag after it."""

    version: int
    tag_id: int
    at: datetime
    kind: str
    shown_after: bool
    tag_kind: str | None
    category: str | None
    name: str | None
    state: str | None
    lapsed_by: Sequence[int] | None


class Notice(NamedTuple):
    """Hold a notice at its place in an entry: that somebody was migrated, or that a job is finished."""

    seq: int
    place: int
    at: datetime
    ordinal: int | None
    former_ordinal: int | None
    job_id: int | None
    job_kind: str | None
    job_state: str | None


async def entries_from(conn: Connection, channel_id: int, seq: int, limit: int) -> FeedPart | None:
    """Return at most `limit` entries of a feed from number `seq` on; None where the channel has no feed."""
    rows = await conn.fetch(STATEMENTS["feed_entries_from"], channel_id, seq, limit)
    if not rows:
        return None
    entries = [
        StoredEntry(
            FeedEntry(*(row[column] for column in FeedEntry._fields)),
            row["tag_base_version"] if row["block"] is None else row["block_base_version"],
        )
        for row in rows
        if row["seq"] is not None
    ]
    return FeedPart(feed_state_of(rows[0]), rows[0]["tag_base_version"], entries)


async def user_lines(conn: Connection, channel_id: int, ranges: Sequence[EntryRange], limit: int) -> list[UserLine]:
    """Return at most `limit` lines of entries of blocks, in the order of the feed; a bulk change comes as one line."""
    rows = await conn.fetch(
        STATEMENTS["feed_user_lines"],
        channel_id,
        [each.seq for each in ranges],
        [each.block for each in ranges],
        [each.after_version for each in ranges],
        [each.after_offset for each in ranges],
        [each.to_version for each in ranges],
        limit,
    )
    return [UserLine(*row) for row in rows]


async def bulk_lines(
    conn: Connection, channel_id: int, block: int, version: int, tag_ids: Collection[int]
) -> list[BulkLine]:
    """Return what a version of a block that changed many people did to some tags."""
    rows = await conn.fetch(STATEMENTS["feed_bulk_lines"], channel_id, block, version, list(tag_ids)) if tag_ids else []
    return [
        BulkLine(
            row["tag_id"], _bitmap(row["added_offsets"], row["added"]), _bitmap(row["removed_offsets"], row["removed"])
        )
        for row in rows
    ]


async def tag_lines(conn: Connection, channel_id: int, after_version: int, to_version: int) -> list[TagLine]:
    """Return the structural changes after a version up to another, by version and tag."""
    rows = await conn.fetch(STATEMENTS["feed_tag_lines"], channel_id, after_version, to_version)
    return [TagLine(*row) for row in rows]


async def notices(conn: Connection, channel_id: int, seqs: Sequence[int]) -> list[Notice]:
    """Return the notices of entries in the order of the feed."""
    return [Notice(*row) for row in await conn.fetch(STATEMENTS["feed_notices"], channel_id, list(seqs))]


async def shown_tags_at(conn: Connection, channel_id: int, tag_version: int) -> frozenset[int]:
    """Return the tags that people showed at a version of the tag states; none while the gate was closed.

    The log must reach back to that version.
    """
    row = await conn.fetchrow(STATEMENTS["shown_tags_at"], channel_id, tag_version)
    if row is None:
        raise LookupError("a channel never loses its state")
    # A tag that was not shown comes as -1 - its id; 0 and -1 are the gate.
    changed = set(row["before"])
    is_open = 0 in changed or (row["open"] and -1 not in changed)
    if not is_open:
        return frozenset()
    shown = {tag_id for tag_id in row["tag_ids"] if -1 - tag_id not in changed}
    return frozenset(shown | {tag_id for tag_id in changed if tag_id > 0})


async def tags_become_shown(
    conn: Connection, channel_id: int, after_version: int, to_version: int
) -> dict[int, datetime]:
    """Return which tags, 0 for the gate, began to be shown by a structural change in between, `{tag_id: when}`.

    Those that were made in between are not among them.
    """
    rows = await conn.fetch(STATEMENTS["tags_become_shown"], channel_id, after_version, to_version)
    return {row["tag_id"]: row["at"] for row in rows}


def _bitmap(offsets: Sequence[int] | None, bits: asyncpg.BitString | None) -> bytes | None:
    if bits is not None:
        return bits.bytes[:BLOCK_BYTES]
    return None if offsets is None else bitmap_of(offsets)
