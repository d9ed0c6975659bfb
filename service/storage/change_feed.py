"""Store the feed of a channel: its numbered entries, how far they reach, and what they tell, read from the logs."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from service.entities.blocks import BLOCK_BYTES, bitmap_of
from service.entities.change_feed import WHOLE_ENTRY, FeedPosition
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# How often it is written that somebody follows a feed.
FOLLOWED_PRECISION: Final = timedelta(minutes=1)
# After the last offset of a block, and what fits the column.
AFTER_LAST_OFFSET: Final = 2**15 - 1


class FeedState(NamedTuple):
    """Hold the number of the newest entry, and how far the feed was deleted."""

    last_seq: int
    base: FeedPosition


class FeedEntry(NamedTuple):
    """Hold an entry: the versions of a block, or with `block` None of the tag states, after one up to another.

    An entry of notices has no versions. `tag_version` is that of the tag states which the feed has told by then, and
    `former_tag_version` that which it had told before entries were written together with this one.
    """

    seq: int
    former_tag_version: int
    tag_version: int
    block: int | None
    from_version: int | None
    to_version: int | None


class StoredEntry(NamedTuple):
    """Hold an entry, and the newest version that is no longer in the log it is read from."""

    entry: FeedEntry
    base_version: int


class FeedPart(NamedTuple):
    """Hold entries of a feed in order, the state of the feed, and how far the log of the tag states was deleted."""

    state: FeedState
    tag_base_version: int
    entries: list[StoredEntry]


class Difference(NamedTuple):
    """Hold versions of a block, or with `block` None of the tag states, that have no entry yet; `at` is of the last."""

    block: int | None
    from_version: int
    to_version: int
    at: datetime


class Differences(NamedTuple):
    """Hold what has no entry yet, as of one instant, and the versions of the tag states: of the feed, and then."""

    former_tag_version: int
    tag_version: int
    has_notices: bool
    versions: list[Difference]


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


def seq_at(instant: datetime) -> int:
    """Return the number of an entry that is written at an instant."""
    return (instant - EPOCH) // timedelta(microseconds=1)


def instant_of(seq: int) -> datetime:
    """Return when an entry was written, by its number."""
    return EPOCH + timedelta(microseconds=seq)


async def open_feed(conn: Connection, channel_id: int, now: datetime) -> None:
    """Begin the feed of a channel at its present versions unless it has one, and note that somebody follows it.

    What is committed after this is told. Raises LookupError if there is no such channel.
    """
    while True:
        known = await conn.fetchrow(STATEMENTS["feed"], channel_id)
        if known is None:
            if await conn.fetchrow(STATEMENTS["insert_feed"], channel_id, seq_at(now), now) is not None:
                return
            if await conn.fetchrow(STATEMENTS["channel_state"], channel_id) is None:
                raise LookupError("there is no such channel")
            continue
        followed = now - known["followed_at"] < FOLLOWED_PRECISION
        if followed or await conn.fetchrow(STATEMENTS["touch_feed"], channel_id, now) is not None:
            return


async def feed_state(conn: Connection, channel_id: int) -> FeedState | None:
    """Return how far a feed was written and deleted; None where the channel has none."""
    row = await conn.fetchrow(STATEMENTS["feed"], channel_id)
    return None if row is None else _state(row)


async def lock_feed(conn: Connection, channel_id: int) -> int | None:
    """Lock a feed to write entries, and return the number of the newest; None if another does, or there is no feed."""
    row = await conn.fetchrow(STATEMENTS["lock_feed"], channel_id)
    return None if row is None else row["last_seq"]


async def differences(conn: Connection, channel_id: int) -> Differences:
    """Return what has no entry yet in a locked feed, tag states first, then blocks in ascending order."""
    tags, *blocks = await conn.fetch(STATEMENTS["feed_differences"], channel_id)
    changed = [tags, *blocks] if tags["to_version"] > tags["from_version"] else blocks
    found = [Difference(row["block"], row["from_version"], row["to_version"], row["at"]) for row in changed]
    return Differences(tags["from_version"], tags["to_version"], tags["has_notices"], found)


async def append_entries(conn: Connection, channel_id: int, entries: Sequence[FeedEntry]) -> None:
    """Write entries of a locked feed, at least one, all of one version of the tag states."""
    await conn.execute(
        STATEMENTS["append_feed_entries"],
        channel_id,
        entries[-1].seq,
        entries[-1].tag_version,
        [entry.seq for entry in entries],
        [entry.block for entry in entries],
        [entry.from_version for entry in entries],
        [entry.to_version for entry in entries],
        entries[-1].former_tag_version,
    )


async def number_notices(conn: Connection, channel_id: int, seq: int) -> None:
    """Put the notices that wait into an entry of a locked feed."""
    await conn.execute(STATEMENTS["number_feed_notices"], channel_id, seq)


async def feeds_behind(conn: Connection, limit: int) -> list[int]:
    """Return at most `limit` channels with a feed in which something happened that has no entry yet."""
    return [row["channel_id"] for row in await conn.fetch(STATEMENTS["feeds_behind"], limit)]


async def followed_channels(conn: Connection) -> set[int]:
    """Return the channels that have a feed."""
    return {row["channel_id"] for row in await conn.fetch(STATEMENTS["followed_channels"])}


async def newest_entries(conn: Connection, channel_ids: Collection[int]) -> dict[int, int]:
    """Return the number of the newest entry of each of these channels that has a feed, `{channel_id: seq}`."""
    rows = await conn.fetch(STATEMENTS["newest_entries"], list(channel_ids))
    return {row["channel_id"]: row["last_seq"] for row in rows}


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
    return FeedPart(_state(rows[0]), rows[0]["tag_base_version"], entries)


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
    rows = await conn.fetch(STATEMENTS["feed_bulk_lines"], channel_id, block, version, list(tag_ids))
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


async def position_now(conn: Connection, channel_id: int) -> FeedPosition:
    """Return the end of a channel's feed. Raises LookupError where it has none."""
    state = await feed_state(conn, channel_id)
    if state is None:
        raise LookupError("nobody follows this channel")
    return FeedPosition(state.last_seq, WHOLE_ENTRY)


async def position_since(conn: Connection, channel_id: int, instant: datetime) -> FeedPosition | None:
    """Return a position after which everything comes that happened after an instant.

    None where the feed does not reach back to the instant, or the channel has none.
    """
    seq = await conn.fetchval(STATEMENTS["feed_entry_since"], channel_id, seq_at(instant))
    return None if seq is None else FeedPosition(seq, WHOLE_ENTRY)


def new_notice_id() -> int:
    """Return a number for a notice, or for several when it is combined with those of their jobs; unlike any other."""
    return secrets.randbits(59)


async def note_migrations(conn: Connection, channel_id: int, united: Mapping[int, int | None], now: datetime) -> None:
    """Note, where somebody follows, who was given another openid: `{ordinal: who they were besides, or None}`."""
    await conn.execute(
        STATEMENTS["insert_migration_notices"],
        channel_id,
        now,
        [new_notice_id() for _ in united],
        list(united),
        list(united.values()),
    )


async def delete_notices_of_users(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> None:
    """Delete what notices say of people who are no more."""
    await conn.execute(STATEMENTS["delete_notices_of_users"], channel_id, list(ordinals))


def _state(row: asyncpg.Record) -> FeedState:
    return FeedState(row["last_seq"], FeedPosition(row["base_seq"], row["base_version"], row["base_offset"]))


def _bitmap(offsets: Sequence[int] | None, bits: asyncpg.BitString | None) -> bytes | None:
    if bits is not None:
        return bits.bytes[:BLOCK_BYTES]
    return None if offsets is None else bitmap_of(offsets)
