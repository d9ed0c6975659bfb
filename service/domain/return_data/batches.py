"""End a batch after it was written: undo it, let it expire, or settle it for good (docs/specification.md §4.2)."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from service.domain.audit.recording import record
from service.domain.audit.values import tag_ref
from service.domain.channels.lookup import find_channel
from service.domain.membership import write_transitions
from service.domain.return_data.held_people import holders_of, read_bits, take_tag
from service.domain.return_data.members import by_block, ordinals_in, slots_of
from service.domain.runtime import Runtime
from service.entities.audit import ObjectRef
from service.entities.blocks import ChangeCause, ChangeNotification, bitmap_of
from service.entities.errors import BadInputError, ChannelNotBoundError, ConflictError, FieldError, NotFoundError
from service.entities.paging import Page
from service.entities.principal import Permission, Principal
from service.entities.return_data import BatchEnd, Receipt, ReceiptHead, ReturnMode
from service.storage import channels
from service.storage.blocks import heads
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members, batches
from service.storage.return_data.batches import LockedTag

MAX_BATCHES_PER_QUERY: Final = 100
MAX_BATCH_ID: Final = 2**62


@dataclass(frozen=True, slots=True)
class EndResult:
    """Count the users who lost the tag with their batches, and those who keep it by other batches."""

    removed: int
    kept: int


class UndoneBatch(NamedTuple):
    """Hold the receipt of a batch after its undoing, and what the undoing did."""

    receipt: Receipt
    result: EndResult


class _EndedBatches(NamedTuple):
    """Hold what ending some batches did; `result` is None when all of them had ended before."""

    result: EndResult | None
    notifications: list[ChangeNotification]


async def find_receipt(
    runtime: Runtime, principal: Principal, channel_id: int, receipt_id: int, permission: Permission
) -> Receipt:
    """Return the receipt of a batch by the number of the batch. Raises ForbiddenError, NotFoundError."""
    async with runtime.pool.acquire() as conn:
        await find_channel(conn, principal, channel_id, permission, sought="receipt")
        receipt = await batches.batch(conn, channel_id, receipt_id)
    if receipt is None:
        raise NotFoundError("receipt")
    return receipt


async def receipts_page(
    runtime: Runtime, channel_id: int, tag_id: int, *, first: int, before: int | None
) -> Page[ReceiptHead]:
    """Return the next `first` receipts of a tag, newest first, with numbers below `before`."""
    async with runtime.pool.acquire() as conn:
        found = await batches.batches_of_tag(
            conn, channel_id, tag_id, before=MAX_BATCH_ID if before is None else before, limit=first + 1
        )
    return Page(found[:first], len(found) > first)


async def undo_batch(runtime: Runtime, principal: Principal, channel_id: int, receipt_id: int) -> UndoneBatch:
    """Take the tag from the users who have it by this batch only. Undoing a batch again changes nothing.

    Raises ForbiddenError, NotFoundError, ChannelNotBoundError, BadInputError unless the mode is ADD, and ConflictError
    when the batch has expired, was replaced or is settled.
    """
    receipt = await find_receipt(runtime, principal, channel_id, receipt_id, Permission.SUBMIT_DATA)
    if receipt.mode is not ReturnMode.ADD:
        raise BadInputError(FieldError(("receipt_id",), "NOT_AN_ADD", "Only a batch of mode ADD can be undone."))
    async with runtime.pool.acquire() as conn, conn.transaction():
        tag = await _lock_owner(conn, channel_id, receipt.key_id)
        if not (await channels.channel_state(conn, channel_id)).open:
            raise ChannelNotBoundError
        batch_ids = [receipt_id]
        result, notifications = await _end_batches(
            conn, runtime, channel_id, tag, receipt.key_id, batch_ids, BatchEnd.UNDONE, ChangeCause.BATCH_UNDONE
        )
        if result is not None:
            await batches.save_undo_result(conn, channel_id, receipt_id, removed=result.removed, kept=result.kept)
            await record(
                conn,
                runtime,
                principal,
                "undo_return_batch",
                channel_id=channel_id,
                target=ObjectRef("ReturnReceipt", (channel_id, receipt_id)),
                after={"tag": tag_ref(channel_id, receipt.tag_id), "removed": result.removed, "kept": result.kept},
            )
        after = await batches.batch(conn, channel_id, receipt_id)
    if after is None:
        raise LookupError("the receipt of the batch is missing")
    if after.ended is not BatchEnd.UNDONE:
        raise ConflictError(f"This batch can no longer be undone: it is {after.ended}.")
    runtime.publisher.publish(notifications)
    return UndoneBatch(after, EndResult(after.undo_removed or 0, after.undo_kept or 0))


async def expire_batches(runtime: Runtime, channel_id: int) -> int:
    """End the batches of a channel that have expired, and return how many users lost a tag by that."""
    removed = 0
    while True:
        async with runtime.pool.acquire() as conn:
            due = await batches.expired_batches(conn, channel_id, runtime.clock(), MAX_BATCHES_PER_QUERY)
        for key_id, batch_ids in _by_key(due):
            async with runtime.pool.acquire() as conn, conn.transaction():
                tag = await _lock_owner(conn, channel_id, key_id)
                result, notifications = await _end_batches(
                    conn, runtime, channel_id, tag, key_id, batch_ids, BatchEnd.EXPIRED, ChangeCause.BATCH_EXPIRED
                )
            runtime.publisher.publish(notifications)
            removed += 0 if result is None else result.removed
        if len(due) < MAX_BATCHES_PER_QUERY:
            return removed


async def settle_batches(runtime: Runtime, channel_id: int, before: datetime) -> int:
    """Settle the batches that were added before an instant and never expire, and return how many there were.

    Their users become settled members of the tag (docs/architecture/07-batches-and-their-members.md).
    """
    settled = 0
    while True:
        async with runtime.pool.acquire() as conn:
            due = await batches.settled_batches(conn, channel_id, before, MAX_BATCHES_PER_QUERY)
        for key_id, batch_ids in _by_key(due):
            async with runtime.pool.acquire() as conn, conn.transaction():
                await _lock_owner(conn, channel_id, key_id)
                await _settle(conn, channel_id, key_id, batch_ids, runtime.clock())
        settled += len(due)
        if len(due) < MAX_BATCHES_PER_QUERY:
            return settled


async def channels_with_expired_batches(runtime: Runtime) -> list[int]:
    """Return the ids of the channels where `expire_batches` has something to do."""
    async with runtime.pool.acquire() as conn:
        return await batches.channels_with_expired_batches(conn, runtime.clock())


async def _lock_owner(conn: Connection, channel_id: int, key_id: int) -> LockedTag:
    """Lock the tag that has a key against edits, merges and replacement, and return it."""
    tag_id = await batches.owner_of_key(conn, channel_id, key_id)
    while True:
        tag = (await batches.lock_tags_shared(conn, channel_id, [tag_id]))[tag_id]
        # It may have been merged before it was locked; a merged tag does not come back.
        if tag.merged_into is None:
            return tag
        tag_id = tag.merged_into


async def _end_batches(
    conn: Connection,
    runtime: Runtime,
    channel_id: int,
    tag: LockedTag,
    key_id: int,
    batch_ids: Sequence[int],
    reason: BatchEnd,
    cause: ChangeCause,
) -> _EndedBatches:
    """Remove the members of batches that came by one key, under the shared lock of the tag that has it."""
    in_force = await batches.lock_batches(conn, channel_id, batch_ids)
    if not in_force:
        return _EndedBatches(None, [])
    blocks = {block for of_batch in in_force.values() for block in of_batch}
    slot_numbers = slots_of(blocks)
    locked = await heads.lock_heads(conn, channel_id, blocks)
    now = runtime.clock()
    holders = await holders_of(conn, channel_id, tag)
    held = ordinals_in(await batch_members.members_of_batches(conn, channel_id, key_id, slot_numbers, in_force))
    kept = await batch_members.held_by_other_batches(conn, channel_id, holders.keys, slot_numbers, held, in_force)
    bits = await read_bits(conn, channel_id, [tag], blocks)
    if tag.merging_from is not None:
        kept |= bits.among(tag.merging_from, held)
    removed = await take_tag(conn, channel_id, bits, holders, slot_numbers, sorted(held - kept))
    await batch_members.delete_batch_members(conn, channel_id, key_id, slot_numbers, in_force)
    notifications = await write_transitions(conn, channel_id, locked, bits.transitions(), cause=cause, now=now)
    await batches.end_batches(conn, channel_id, in_force, reason, now)
    return _EndedBatches(EndResult(removed, len(kept)), notifications)


async def _settle(conn: Connection, channel_id: int, key_id: int, batch_ids: Sequence[int], now: datetime) -> None:
    """Move the users of batches to the settled members by their key; no bit changes."""
    in_force = await batches.lock_batches(conn, channel_id, batch_ids)
    blocks = {block for of_batch in in_force.values() for block in of_batch}
    slot_numbers = slots_of(blocks)
    await heads.lock_heads(conn, channel_id, blocks)
    held = ordinals_in(await batch_members.members_of_batches(conn, channel_id, key_id, slot_numbers, in_force))
    members = {block: bitmap_of(offsets) for block, offsets in by_block(held).items()}
    await batch_members.add_settled_members(conn, channel_id, key_id, members)
    await batch_members.delete_batch_members(conn, channel_id, key_id, slot_numbers, in_force)
    await batches.end_batches(conn, channel_id, in_force, BatchEnd.SETTLED, now)


def _by_key(due: Sequence[batches.BatchOfKey]) -> list[tuple[int, list[int]]]:
    grouped = itertools.groupby(due, key=lambda each: each.key_id)
    return [(key_id, [each.batch_id for each in of_key]) for key_id, of_key in grouped]
