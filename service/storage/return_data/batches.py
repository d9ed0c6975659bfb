"""Store return tags by their keys, and batches with their receipts."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import orjson

from service.entities.errors import RejectionCode
from service.entities.paging import Slice, SliceKey
from service.entities.return_data import BatchEnd, Receipt, ReceiptHead, RejectedOpenid, ReturnMode, ReturnSource
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class ReturnTagLookUp(NamedTuple):
    """Hold the living tag under a key, None if there is none, and whether the gate of the channel is open."""

    is_open: bool
    tag_id: int | None


class ReturnTagKey(NamedTuple):
    """Hold the key under which integrators submit to a tag, whatever the tag is called in the panel."""

    category: str
    label: str


class BatchOfTag(NamedTuple):
    """Hold the number of a batch and the id of its tag."""

    tag_id: int
    batch_id: int


async def return_tag_by_key(conn: Connection, channel_id: int, category: str, label: str) -> ReturnTagLookUp:
    """Return the living tag under an integrator's key, and whether the gate is open."""
    row = await conn.fetchrow(STATEMENTS["return_tag_by_key"], channel_id, category, label)
    return ReturnTagLookUp(is_open=False, tag_id=None) if row is None else ReturnTagLookUp(row["open"], row["tag_id"])


async def insert_return_tag(conn: Connection, channel_id: int, tag_id: int, category: str, label: str) -> None:
    """Insert the key of a new tag."""
    await conn.execute(STATEMENTS["insert_return_tag"], channel_id, tag_id, category, label)


async def return_tag_keys(conn: Connection, channel_id: int) -> dict[int, ReturnTagKey]:
    """Return the keys of the return tags of a channel, deleted ones too, `{tag_id: key}`."""
    rows = await conn.fetch(STATEMENTS["return_tag_keys"], channel_id)
    return {row["tag_id"]: ReturnTagKey(row["category"], row["label"]) for row in rows}


async def lock_tags_shared(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> set[int]:
    """Lock tags against edits and replacement, and return the ids of those that live."""
    rows = await conn.fetch(STATEMENTS["lock_tags_shared"], channel_id, sorted(tag_ids))
    return {row["tag_id"] for row in rows if row["living"]}


async def lock_tag_exclusive(conn: Connection, channel_id: int, tag_id: int) -> bool:
    """Lock a tag against every other change of its batches, and return whether it lives."""
    row = await conn.fetchrow(STATEMENTS["lock_tag_exclusive"], channel_id, tag_id)
    return row is not None and row["living"]


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
        [each.tag_id for each in receipts],
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
    """Return at most `limit` receipts of a tag with numbers below `before`, newest first."""
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


async def end_batches_of_tag(conn: Connection, channel_id: int, tag_id: int, at: datetime) -> None:
    """End every batch of a tag, since a new one replaces its whole membership."""
    await conn.execute(STATEMENTS["end_batches_of_tag"], channel_id, tag_id, at)


async def save_undo_result(conn: Connection, channel_id: int, batch_id: int, *, removed: int, kept: int) -> None:
    """Record how many people lost the tag when a batch was undone, and how many kept it."""
    await conn.execute(STATEMENTS["save_undo_result"], channel_id, batch_id, removed, kept)


async def forget_unmatched(conn: Connection, channel_id: int, openids_of: int, openids: Iterable[str]) -> None:
    """Take openids of channel `openids_of` out of the receipts of a channel; the oldest receipts do not say whose."""
    await conn.execute(STATEMENTS["forget_unmatched"], channel_id, openids_of, list(openids))


async def expired_batches(conn: Connection, channel_id: int, now: datetime, limit: int) -> list[BatchOfTag]:
    """Return at most `limit` batches that have expired, tag by tag."""
    rows = await conn.fetch(STATEMENTS["expired_batches"], channel_id, now, limit)
    return [BatchOfTag(row["tag_id"], row["batch_id"]) for row in rows]


async def channels_with_expired_batches(conn: Connection, now: datetime) -> list[int]:
    """Return the ids of the channels in which a batch has expired, ascending."""
    rows = await conn.fetch(STATEMENTS["channels_with_expired_batches"], now)
    return [row["channel_id"] for row in rows]


async def settled_batches(conn: Connection, channel_id: int, before: datetime, limit: int) -> list[BatchOfTag]:
    """Return at most `limit` batches from before an instant that can no longer be undone, tag by tag."""
    rows = await conn.fetch(STATEMENTS["settled_batches"], channel_id, before, limit)
    return [BatchOfTag(row["tag_id"], row["batch_id"]) for row in rows]


async def batches_holding(
    conn: Connection, channel_id: int, ordinals: Iterable[int]
) -> dict[int, dict[int, list[int]]]:
    """Return the batches in force that hold people, `{ordinal: {tag_id: batch ids}}`; 0 stands for folded ones."""
    holding: dict[int, dict[int, list[int]]] = {}
    for row in await conn.fetch(STATEMENTS["batches_holding"], channel_id, list(ordinals)):
        holding.setdefault(row["ordinal"], {}).setdefault(row["tag_id"], []).append(row["batch_id"])
    return holding


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
    names = ("channel_id", "batch_id", "tag_id", "at", "subject", "expires_at", "added", "removed", "unchanged")
    return {
        **{name: row[name] for name in names},
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
