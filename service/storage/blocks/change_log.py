"""Store the change log of blocks: what each version did to whom."""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE, ChangeCause, bitmap_of
from service.entities.revision import Revision
from service.entities.tags import UserTagChange
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

MAX_OFFSETS_AS_LIST = 300
LINES_PER_READ: Final = 500


@dataclass(frozen=True, slots=True)
class LogLine:
    """Describe a small change: what one version did to one user."""

    block: int
    version: int
    offset: int
    at: datetime
    added: tuple[int, ...]
    removed: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BulkLogLine:
    """Describe a change of many users: what one version did to one tag."""

    block: int
    version: int
    tag_id: int
    at: datetime
    added_offsets: Sequence[int]
    removed_offsets: Sequence[int]


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """Hold what happened to people of a block up to `revision`.

    `known` is False where the log does not hold the revision asked from: then the rest says nothing.
    """

    revision: Revision
    known: bool
    changes: tuple[UserTagChange, ...]


async def log_user_changes(conn: Connection, channel_id: int, lines: Sequence[LogLine], cause: ChangeCause) -> None:
    """Log small changes, a line for each user."""
    await conn.execute(
        STATEMENTS["log_user_changes"],
        channel_id,
        [line.block for line in lines],
        [line.version for line in lines],
        [line.offset for line in lines],
        [line.at for line in lines],
        [_array_literal(line.added) for line in lines],
        [_array_literal(line.removed) for line in lines],
        cause,
    )


async def log_bulk_changes(conn: Connection, channel_id: int, lines: Sequence[BulkLogLine], cause: ChangeCause) -> None:
    """Log changes of many users, a line for each tag."""
    listed: list[int] = []
    starts, added_ends, removed_ends = [], [], []
    for line in lines:
        starts.append(len(listed))
        listed += _listed(line.added_offsets)
        added_ends.append(len(listed))
        listed += _listed(line.removed_offsets)
        removed_ends.append(len(listed))
    await conn.execute(
        STATEMENTS["log_bulk_changes"],
        channel_id,
        [line.block for line in lines],
        [line.version for line in lines],
        [line.tag_id for line in lines],
        [line.at for line in lines],
        starts,
        added_ends,
        removed_ends,
        [_bitmap(line.added_offsets) for line in lines],
        [_bitmap(line.removed_offsets) for line in lines],
        listed,
        cause,
    )


async def changes_since(
    conn: Connection, channel_id: int, block: int, known: Revision, offsets: Iterable[int]
) -> ChangesSince:
    """Return what happened to `offsets` of a block after `known`, in order."""
    rows = await conn.fetch(STATEMENTS["changes_since"], channel_id, block, *known, list(offsets))
    if not rows:
        return ChangesSince(known, known=False, changes=())
    merged: dict[tuple[int, int], UserTagChange] = {}
    for row in rows:
        if row["version"] is None:
            continue
        key = (row["version"], row["user_offset"])
        earlier = merged.get(key)
        merged[key] = UserTagChange(
            row["version"],
            row["at"],
            ChangeCause(row["cause"]),
            row["user_offset"],
            (*(earlier.added if earlier else ()), *row["added"]),
            (*(earlier.removed if earlier else ()), *row["removed"]),
        )
    head = rows[0]
    revision = Revision(head["head_version"], head["head_at"])
    return ChangesSince(revision, head["known"], tuple(merged[key] for key in sorted(merged)))


async def changes_since_each(
    conn: Connection, channel_id: int, block: int, asked: Sequence[tuple[Revision, int]]
) -> list[ChangesSince]:
    """Return, for each (known revision, offset), what happened to that offset since; the log is read once for all."""
    revisions = sorted({known for known, _ in asked})
    read = await changes_since(conn, channel_id, block, revisions[0], sorted({offset for _, offset in asked}))
    versions, instants = [each.version for each in revisions], [each.at for each in revisions]
    in_log = {
        Revision(*row) for row in await conn.fetch(STATEMENTS["known_revisions"], channel_id, block, versions, instants)
    }
    by_offset: dict[int, list[UserTagChange]] = {}
    for change in read.changes:
        by_offset.setdefault(change.offset, []).append(change)
    return [
        ChangesSince(
            read.revision,
            known in in_log,
            tuple(change for change in by_offset.get(offset, ()) if change.version > known.version),
        )
        for known, offset in asked
    ]


async def history_of_user(
    conn: Connection, channel_id: int, block: int, offset: int, *, before: int, limit: int
) -> list[UserTagChange]:
    """Return at most `limit` changes of one user before a version, newest first."""
    rows = await conn.fetch(STATEMENTS["history_of_user"], channel_id, block, offset, before, limit)
    return [
        UserTagChange(
            row["version"],
            row["at"],
            ChangeCause(row["cause"]),
            offset,
            tuple(row["added"] or ()),
            tuple(row["removed"] or ()),
        )
        for row in rows
    ]


async def prune_block(conn: Connection, channel_id: int, block: int, before: datetime) -> None:
    """Delete what happened before an instant; the caller holds the block. The newest deleted version stays known."""
    version = await conn.fetchval(STATEMENTS["prunable_version"], channel_id, block, before)
    if version is None:
        return
    await conn.execute(STATEMENTS["raise_base"], channel_id, block, version)
    await conn.execute(STATEMENTS["prune_user_changes"], channel_id, block, version)
    await conn.execute(STATEMENTS["prune_bulk_changes"], channel_id, block, version)


class LogBounds(NamedTuple):
    """Hold the newest revision of a block, and the newest that is no longer in its log, version 0 if all are."""

    newest: Revision
    base: Revision


@dataclass(frozen=True, slots=True)
class StoredChange:
    """Hold a line of the log: what a version did to one user, or to one tag in bitmaps."""

    revision: Revision
    cause: ChangeCause
    offset: int | None
    added: tuple[int, ...]
    removed: tuple[int, ...]
    tag_id: int | None
    added_members: bytes
    removed_members: bytes


async def log_bounds(conn: Connection, channel_id: int, block: int) -> LogBounds:
    """Return how far the log of a block reaches."""
    row = await conn.fetchrow(STATEMENTS["log_bounds"], channel_id, block)
    if row is None:
        raise LookupError("the channel has no such block")
    return LogBounds(Revision(row["version"], row["at"]), Revision(row["base_version"], row["base_at"]))


async def log_of_block(conn: Connection, channel_id: int, block: int) -> AsyncIterator[StoredChange]:
    """Yield what the log of a block holds, newest first; the caller has begun a transaction."""
    rows = conn.cursor(STATEMENTS["log_of_block"], channel_id, block, prefetch=LINES_PER_READ)
    async for row in rows:
        yield StoredChange(
            Revision(row["version"], row["at"]),
            ChangeCause(row["cause"]),
            row["user_offset"],
            tuple(row["added"] or ()),
            tuple(row["removed"] or ()),
            row["tag_id"],
            _members_of(row["added_offsets"], row["added_members"]),
            _members_of(row["removed_offsets"], row["removed_members"]),
        )


async def cut_log(conn: Connection, channel_id: int, block: int) -> None:
    """Delete the whole log of a block, which the caller holds; who knows its newest version misses nothing."""
    version = await conn.fetchval(STATEMENTS["cut_log"], channel_id, block)
    await conn.execute(STATEMENTS["prune_user_changes"], channel_id, block, version)
    await conn.execute(STATEMENTS["prune_bulk_changes"], channel_id, block, version)


def _members_of(offsets: Sequence[int] | None, members: BitString | None) -> bytes:
    return bitmap_of(offsets or ()) if members is None else members.bytes


def _listed(offsets: Sequence[int]) -> Sequence[int]:
    """Return the offsets that are written one by one: none where there is a bitmap of them."""
    return offsets if len(offsets) <= MAX_OFFSETS_AS_LIST else ()


def _bitmap(offsets: Sequence[int]) -> BitString | None:
    return BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE) if len(offsets) > MAX_OFFSETS_AS_LIST else None


def _array_literal(ids: tuple[int, ...]) -> str:
    """Return an array literal, since asyncpg cannot send arrays whose rows differ in length."""
    return "{" + ",".join(map(str, ids)) + "}"
