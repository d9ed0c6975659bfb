"""Store return tags by their keys, and batches with their receipts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import asyncpg
import orjson

from service.entities.errors import RejectionCode
from service.entities.paging import Slice, SliceKey
from service.entities.return_data import BatchEnd, Receipt, ReceiptHead, RejectedOpenid, ReturnMode, ReturnSource
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

MAX_TAG_ID: Final = 2**31 - 1


class KeyedTag(NamedTuple):
    """Name a tag and one of its keys, this by the tag that the key was made for: itself, or one merged into it."""

    tag_id: int
    key_id: int


class ReturnTagLookUp(NamedTuple):
    """Hold the living tag that has a key, None if there is none, and whether the gate of the channel is open."""

    is_open: bool
    tag: KeyedTag | None


class ReturnTagKey(NamedTuple):
    """Hold a key under which integrators submit to a tag, whatever that is called in the panel, and whose it is."""

    category: str
    label: str
    owner_tag_id: int


class LockedTag(NamedTuple):
    """Hold what a locked tag is: whether it lives, the tag that it was merged into, and those of a merge under way."""

    tag_id: int
    living: bool
    merged_into: int | None
    merging_into: int | None
    merging_from: int | None


class BatchOfKey(NamedTuple):
    """Hold the number of a batch, and the tag that the key was made for by which it came."""

    key_id: int
    batch_id: int


class HeldPerson(NamedTuple):
    """Say that a batch in force, 0 for those that were folded, holds a person, and where its tag is being merged."""

    ordinal: int
    tag: KeyedTag
    batch_id: int
    merging_into: int | None


async def return_tag_by_key(conn: Connection, channel_id: int, category: str, label: str) -> ReturnTagLookUp:
    """Return the living tag that has an integrator's key, and whether the gate is open."""
    row = await conn.fetchrow(STATEMENTS["return_tag_by_key"], channel_id, category, label)
    if row is None:
        return ReturnTagLookUp(is_open=False, tag=None)
    return ReturnTagLookUp(row["open"], None if row["tag_id"] is None else _keyed(row))


async def insert_return_tag(conn: Connection, channel_id: int, tag_id: int, category: str, label: str) -> None:
    """Insert the key of a new tag."""
    await conn.execute(STATEMENTS["insert_return_tag"], channel_id, tag_id, category, label)


async def return_tag_keys(conn: Connection, channel_id: int) -> dict[int, ReturnTagKey]:
    """Return the keys of the return tags of a channel, deleted ones too, by the tags that they were made for."""
    rows = await conn.fetch(STATEMENTS["return_tag_keys"], channel_id)
    return {row["tag_id"]: ReturnTagKey(row["category"], row["label"], row["owner_tag_id"]) for row in rows}


async def owner_of_key(conn: Connection, channel_id: int, key_id: int) -> int:
    """Return the id of the tag that has the key that was made for another, or for itself."""
    return int(await conn.fetchval(STATEMENTS["owner_of_key"], channel_id, key_id))


async def keys_of_tag(conn: Connection, channel_id: int, tag_id: int) -> list[int]:
    """Return the keys that a tag has, by the tags that they were made for; the caller holds the tag."""
    return [row["tag_id"] for row in await conn.fetch(STATEMENTS["keys_of_tag"], channel_id, tag_id)]


async def give_keys(conn: Connection, channel_id: int, from_tag_id: int, into_tag_id: int) -> None:
    """Give the keys of a tag, with all that came by them, to another; the caller holds both exclusively."""
    await conn.execute(STATEMENTS["give_keys"], channel_id, from_tag_id, into_tag_id)


async def lock_tags_shared(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> dict[int, LockedTag]:
    """Lock tags against edits, merges and replacement, and return them, `{tag_id: tag}`."""
    rows = await conn.fetch(STATEMENTS["lock_tags_shared"], channel_id, _ascending(tag_ids))
    return {row["tag_id"]: LockedTag(*row.values()) for row in rows}


async def lock_tags_exclusive(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> dict[int, LockedTag]:
    """Lock tags against every other change of their batches, and return them, `{tag_id: tag}`."""
    rows = await conn.fetch(STATEMENTS["lock_tags_exclusive"], channel_id, _ascending(tag_ids))
    return {row["tag_id"]: LockedTag(*row.values()) for row in rows}


async def allocate_batch_ids(conn: Connection, channel_id: int, count: int) -> range:
    """Reserve `count` numbers for new batches, in commit order; the last lock of a transaction."""
    last = await conn.fetchval(STATEMENTS["allocate_batch_ids"], channel_id, count)
    return range(last - count + 1, last + 1)


async def insert_batches(conn: Connection, channel_id: int, receipts: Sequence[Receipt], at: datetime) -> None:
    """Insert the receipts of one transaction."""
    await conn.execute(
        STATEMENTS["insert_batches"],
        channel_id,
        at,
        [each.batch_id for each in receipts],
        [each.key_id for each in receipts],
        [each.mode for each in receipts],
        [each.source for each in receipts],
        [each.subject for each in receipts],
        [each.expires_at for each in receipts],
        [each.added for each in receipts],
        [each.removed for each in receipts],
        [each.unchanged for each in receipts],
        [each.duplicates for each in receipts],
        [each.new_users for each in receipts],
        [_rejected_text(each.rejected) for each in receipts],
        # No character of an openid has a meaning in an array literal.
        ["{" + ",".join(f'"{openid}"' for openid in each.unmatched) + "}" for each in receipts],
        ["{" + ",".join(map(str, each.blocks)) + "}" for each in receipts],
        [each.openids_of for each in receipts],
    )


async def batch(conn: Connection, channel_id: int, batch_id: int) -> Receipt | None:
    """Return a receipt, or None if there is none with this number."""
    row = await conn.fetchrow(STATEMENTS["batch"], channel_id, batch_id)
    return None if row is None else _receipt(row)


async def batches_by_id(conn: Connection, channel_id: int, batch_ids: Iterable[int]) -> dict[int, ReceiptHead]:
    """Return receipts by their numbers, `{batch_id: receipt}`."""
    rows = await conn.fetch(STATEMENTS["batches_by_id"], channel_id, list(batch_ids))
    return {row["batch_id"]: ReceiptHead(**_head(row)) for row in rows}


async def batches_of_tag(
    conn: Connection, channel_id: int, tag_id: int, *, before: int, limit: int
) -> list[ReceiptHead]:
    """Return at most `limit` receipts with numbers below `before` of a tag, by each key that it has or was made for."""
    rows = await conn.fetch(STATEMENTS["batches_of_tag"], channel_id, tag_id, before, limit)
    return [ReceiptHead(**_head(row)) for row in rows]


async def rejected_slices(
    conn: Connection, channel_id: int, keys: Sequence[SliceKey]
) -> dict[SliceKey, Slice[RejectedOpenid]]:
    """Return parts of what was rejected of batches, by the number of the batch; a batch without any has no part."""
    rows = await conn.fetch(STATEMENTS["rejected_slices"], channel_id, *_columns(keys))
    return {
        SliceKey(row["batch_id"], row["start"], row["length"]): Slice(_rejected(row["entries"]), row["total"])
        for row in rows
        if row["entries"]
    }


async def unmatched_slices(conn: Connection, channel_id: int, keys: Sequence[SliceKey]) -> dict[SliceKey, Slice[str]]:
    """Return parts of what was not matched of batches, by the number of the batch."""
    rows = await conn.fetch(STATEMENTS["unmatched_slices"], channel_id, *_columns(keys))
    return {
        SliceKey(row["batch_id"], row["start"], row["length"]): Slice(row["entries"] or [], row["total"] or 0)
        for row in rows
    }


async def lock_batches(conn: Connection, channel_id: int, batch_ids: Iterable[int]) -> dict[int, list[int]]:
    """Lock the batches that are still in force, and return their blocks, `{batch_id: blocks}`."""
    rows = await conn.fetch(STATEMENTS["lock_batches"], channel_id, list(batch_ids))
    return {row["batch_id"]: row["blocks"] for row in rows}


async def end_batches(
    conn: Connection, channel_id: int, batch_ids: Iterable[int], reason: BatchEnd, at: datetime
) -> None:
    """End batches, all for the same reason."""
    await conn.execute(STATEMENTS["end_batches"], channel_id, list(batch_ids), reason, at)


async def end_batches_of_key(conn: Connection, channel_id: int, key_id: int, at: datetime) -> None:
    """End every batch that came by a key, since a new one replaces all of them."""
    await conn.execute(STATEMENTS["end_batches_of_key"], channel_id, key_id, at)


async def save_undo_result(conn: Connection, channel_id: int, batch_id: int, *, removed: int, kept: int) -> None:
    """Record how many people lost the tag when a batch was undone, and how many kept it."""
    await conn.execute(STATEMENTS["save_undo_result"], channel_id, batch_id, removed, kept)


async def forget_unmatched(conn: Connection, channel_id: int, openids_of: int, openids: Iterable[str]) -> None:
    """Take openids of channel `openids_of` out of the receipts of a channel; the oldest receipts do not say whose."""
    await conn.execute(STATEMENTS["forget_unmatched"], channel_id, openids_of, list(openids))


async def expired_batches(conn: Connection, channel_id: int, now: datetime, limit: int) -> list[BatchOfKey]:
    """Return at most `limit` batches that have expired, key by key."""
    rows = await conn.fetch(STATEMENTS["expired_batches"], channel_id, now, limit)
    return [BatchOfKey(row["tag_id"], row["batch_id"]) for row in rows]


async def channels_with_expired_batches(conn: Connection, now: datetime) -> list[int]:
    """Return the ids of the channels in which a batch has expired, ascending."""
    rows = await conn.fetch(STATEMENTS["channels_with_expired_batches"], now)
    return [row["channel_id"] for row in rows]


async def settled_batches(conn: Connection, channel_id: int, before: datetime, limit: int) -> list[BatchOfKey]:
    """Return at most `limit` batches from before an instant that can no longer be undone, key by key."""
    rows = await conn.fetch(STATEMENTS["settled_batches"], channel_id, before, limit)
    return [BatchOfKey(row["tag_id"], row["batch_id"]) for row in rows]


async def batches_holding(
    conn: Connection, channel_id: int, ordinals: Iterable[int]
) -> dict[int, dict[int, list[int]]]:
    """Return the batches in force that hold people, `{ordinal: {tag_id: batch ids}}`; 0 stands for folded ones.

    Those of a tag that is being merged into another hold people for that one, too.
    """
    holding: dict[int, dict[int, list[int]]] = {}
    for ordinal, tag, batch_id, merging_into in await held_people(conn, channel_id, ordinals):
        for tag_id in (tag.tag_id, merging_into):
            if tag_id is not None:
                holding.setdefault(ordinal, {}).setdefault(tag_id, []).append(batch_id)
    return holding


async def held_people(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> list[HeldPerson]:
    """Return the batches in force that hold people, one for each person, key and batch."""
    rows = await conn.fetch(STATEMENTS["batches_holding"], channel_id, list(ordinals))
    return [HeldPerson(row["ordinal"], _keyed(row), row["batch_id"], row["merging_into"]) for row in rows]


def _keyed(row: asyncpg.Record) -> KeyedTag:
    return KeyedTag(row["owner_tag_id"], row["tag_id"])


def _rejected_text(rejected: Sequence[RejectedOpenid]) -> str | None:
    if not rejected:
        return None
    return orjson.dumps([[each.index, each.code.value, each.reason] for each in rejected]).decode()


def _columns(keys: Sequence[SliceKey]) -> tuple[list[int], list[int], list[int]]:
    return [each.list_id for each in keys], [each.start for each in keys], [each.length for each in keys]


def _rejected(text: str | None) -> list[RejectedOpenid]:
    entries = orjson.loads(text) if text else []
    return [RejectedOpenid(index, RejectionCode(code), reason) for index, code, reason in entries]


def _receipt(row: asyncpg.Record) -> Receipt:
    return Receipt(**_head(row), rejected=_rejected(row["rejected"]), unmatched=row["unmatched"] or [])


def _head(row: asyncpg.Record) -> dict[str, Any]:
    """Return what a receipt has without the entries that were left out, by the names of its attributes."""
    names = ("channel_id", "batch_id", "at", "subject", "expires_at", "added", "removed", "unchanged")
    return {
        **{name: row[name] for name in names},
        "tag_id": row["owner_tag_id"],
        "key_id": row["tag_id"],
        "mode": ReturnMode(row["mode"]),
        "source": ReturnSource(row["source"]),
        "duplicates": row["duplicates"],
        "new_users": row["new_users"],
        "blocks": row["blocks"],
        "openids_of": row["openids_of"],
        "ended": None if row["ended"] is None else BatchEnd(row["ended"]),
        "ended_at": row["ended_at"],
        "undo_removed": row["undo_removed"],
        "undo_kept": row["undo_kept"],
    }


def _ascending(tag_ids: Iterable[int]) -> list[int]:
    """Return the ids in the order of locking, without those that no column holds: they are of no tag."""
    return sorted(tag_id for tag_id in tag_ids if tag_id <= MAX_TAG_ID)
