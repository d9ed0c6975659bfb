"""Store the feed of a channel: its numbered entries, how far they reach, and what they tell, read from the logs."""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

import asyncpg

from service.entities.change_feed import WHOLE_ENTRY, FeedPosition
from service.storage import channels
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# How often it is written that somebody follows a feed.
FOLLOWED_PRECISION: Final = timedelta(minutes=1)
MAX_INT: Final = 2**31 - 1


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
            await channels.channel_state(conn, channel_id)
            continue
        followed = now - known["followed_at"] < FOLLOWED_PRECISION
        if followed or await conn.fetchrow(STATEMENTS["touch_feed"], channel_id, now) is not None:
            return


async def feed_state(conn: Connection, channel_id: int) -> FeedState | None:
    """Return how far a feed was written and deleted; None where the channel has none."""
    row = await conn.fetchrow(STATEMENTS["feed"], channel_id)
    return None if row is None else feed_state_of(row)


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


async def prune_entries(conn: Connection, channel_id: int, before: datetime) -> None:
    """Delete the entries of which the logs keep nothing when all before an instant is deleted from them.

    It comes before that, so that whoever was told all of them is known to have missed nothing.
    """
    last_seq = await conn.fetchval(STATEMENTS["lock_feed_for_pruning"], channel_id)
    if last_seq is None:
        return
    kept = await conn.fetchval(STATEMENTS["first_kept_entry"], channel_id, before, seq_at(before))
    gone = await conn.fetchrow(STATEMENTS["end_of_last_entry_before"], channel_id, kept or last_seq + 1)
    if gone is None:
        return
    offset = MAX_INT if gone["user_offset"] is None else gone["user_offset"]
    await conn.execute(STATEMENTS["raise_feed_base"], channel_id, gone["seq"], gone["version"] or 0, offset)
    await conn.execute(STATEMENTS["prune_feed_entries"], channel_id, gone["seq"])
    await conn.execute(STATEMENTS["prune_feed_notices"], channel_id, gone["seq"])


async def close_feed(conn: Connection, channel_id: int, *, now: datetime, unfollowed_since: datetime) -> bool:
    """Delete a feed that nobody has followed for long, and tell whether it was; endpoints that are ON follow it."""
    await conn.execute(STATEMENTS["touch_feed_with_endpoints"], channel_id, now)
    if await conn.fetchrow(STATEMENTS["delete_feed"], channel_id, unfollowed_since) is None:
        return False
    await conn.execute(STATEMENTS["delete_feed_blocks"], channel_id)
    await conn.execute(STATEMENTS["delete_feed_entries"], channel_id)
    await conn.execute(STATEMENTS["delete_feed_notices"], channel_id)
    return True


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


def feed_state_of(row: asyncpg.Record) -> FeedState:
    """Return how far a feed was written and deleted, from a row that has the columns."""
    return FeedState(row["last_seq"], FeedPosition(row["base_seq"], row["base_version"], row["base_offset"]))
