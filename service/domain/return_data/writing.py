"""Write batches: the bits of the tag, the users that the batch holds, and the receipt, in one transaction.

Locks are taken in this order: idempotency key, tag, batches, blocks, and last the channel's counter of batches. ADD and
REMOVE lock the tag shared and the blocks of their users; REPLACE locks the tag exclusively.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from service.domain.membership import write_transitions
from service.domain.people.ordinals import find_or_create_users
from service.domain.return_data.held_people import TagHolders, give_tag, holders_of, read_bits, take_tag
from service.domain.return_data.members import batch_member_rows, by_block, ordinals_in, slots_of
from service.domain.return_data.prepared import PreparedBatch, ResolvedPeople, unnumbered_receipt
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification, block_of
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError
from service.entities.return_data import Receipt, ReturnMode
from service.storage import channels, users
from service.storage.blocks import heads
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members, idempotency_keys
from service.storage.return_data import batches as return_batches


class TagDeletedError(Exception):
    """Report that the tag was deleted meanwhile; its category and label now name another tag, or none."""


class ClaimedKey(NamedTuple):
    """Hold an idempotency key, and the id of the channel that keeps it."""

    home: int
    key: str


class SubmissionResult(NamedTuple):
    """Hold the receipt of a request; `replayed` tells whether an earlier request with its key wrote the batch."""

    receipt: Receipt
    replayed: bool


class WrittenBatches(NamedTuple):
    """Hold the receipts of written batches, and the notifications to publish after the commit."""

    receipts: list[Receipt]
    notifications: list[ChangeNotification]


async def write_add_batches(runtime: Runtime, channel: Channel, batches: Sequence[PreparedBatch]) -> list[Receipt]:
    """Write ADD batches in one transaction, and return the receipt of each, as if it were written alone.

    Raises ChannelNotBoundError, TagDeletedError when one of the tags was deleted, and UserForgottenError when one of
    the users was forgotten; nothing is written then.
    """
    channel_id = channel.channel_id
    people = await _resolve_people(runtime, channel_id, [openid for each in batches for openid in each.openids])
    async with runtime.pool.acquire() as conn, conn.transaction():
        receipts, notifications = await add_batches(conn, runtime, channel_id, batches, people)
    runtime.publisher.publish(notifications)
    return receipts


async def write_batch(
    runtime: Runtime, channel: Channel, batch: PreparedBatch, key: ClaimedKey | None
) -> SubmissionResult:
    """Write one batch of any mode, unless its key already has a receipt.

    Raises what `write_add_batches` raises.
    """
    channel_id = channel.channel_id
    people = await _resolve_people(
        runtime, channel_id, batch.openids, create_missing=batch.mode is not ReturnMode.REMOVE
    )
    async with runtime.pool.acquire() as conn, conn.transaction():
        written = None if key is None else await idempotency_keys.lock_key(conn, *key)
        if written is not None:
            return SubmissionResult(await receipt_of_key(conn, written), replayed=True)
        if batch.mode is ReturnMode.ADD:
            (receipt,), notifications = await add_batches(conn, runtime, channel_id, [batch], people)
        elif batch.mode is ReturnMode.REMOVE:
            (receipt,), notifications = await _remove(conn, runtime, channel_id, batch, people)
        else:
            (receipt,), notifications = await _replace(conn, runtime, channel_id, batch, people)
        if key is not None:
            await idempotency_keys.save_key_receipt(
                conn, *key, idempotency_keys.ReceiptId(channel_id, receipt.batch_id)
            )
    runtime.publisher.publish(notifications)
    return SubmissionResult(receipt, replayed=False)


async def receipt_of_key(conn: Connection, settled: idempotency_keys.ReceiptId) -> Receipt:
    """Return the receipt that a key was settled with. Raises LookupError if there is none, which cannot be."""
    receipt = await return_batches.batch(conn, *settled)
    if receipt is None:
        raise LookupError("the receipt of an idempotency key is missing")
    return receipt


async def _resolve_people(
    runtime: Runtime, channel_id: int, openids: Sequence[str], *, create_missing: bool = True
) -> ResolvedPeople:
    """Return the users of these openids, and create missing ones unless told not to."""
    async with runtime.pool.acquire() as conn:
        forgotten = (await channels.channel_state(conn, channel_id)).forgotten
        if not create_missing:
            return ResolvedPeople(await users.ordinals_of(conn, channel_id, openids), frozenset(), forgotten)
    return ResolvedPeople(*await find_or_create_users(runtime, channel_id, openids), forgotten)


async def add_batches(
    conn: Connection,
    runtime: Runtime,
    channel_id: int,
    batches: Sequence[PreparedBatch],
    people: ResolvedPeople,
    *,
    cause: ChangeCause = ChangeCause.RETURN_DATA,
) -> WrittenBatches:
    """Write ADD batches in the caller's transaction; `people` were looked up before it.

    Raises what `write_add_batches` raises; then the transaction must be rolled back.
    """
    tag_ids = {batch.tag.tag_id for batch in batches}
    tags = await return_batches.lock_tags_shared(conn, channel_id, tag_ids)
    if {tag_id for tag_id, tag in tags.items() if tag.living} != tag_ids:
        raise TagDeletedError
    locked = await heads.lock_heads(conn, channel_id, {block_of(each) for each in people.ordinals.values()})
    await _check_still_valid(conn, channel_id, people)
    now = runtime.clock()
    bits = await read_bits(conn, channel_id, tags.values(), locked)
    unclaimed_new = set(people.new)
    receipts = []
    for batch in batches:
        added = give_tag(bits, tags[batch.tag.tag_id], people.of(batch))
        new = unclaimed_new.intersection(batch.openids)
        unclaimed_new -= new
        receipts.append(unnumbered_receipt(channel_id, batch, people, now, added=added, new_users=len(new)))
    notifications = await write_transitions(conn, channel_id, locked, bits.transitions(), cause=cause, now=now)
    return WrittenBatches(await _save_batches(conn, channel_id, batches, receipts, people), notifications)


async def _remove(
    conn: Connection, runtime: Runtime, channel_id: int, batch: PreparedBatch, people: ResolvedPeople
) -> WrittenBatches:
    tag = (await return_batches.lock_tags_shared(conn, channel_id, [batch.tag.tag_id]))[batch.tag.tag_id]
    if not tag.living:
        raise TagDeletedError
    ordinals = people.of(batch)
    offsets = by_block(ordinals)
    locked = await heads.lock_heads(conn, channel_id, offsets)
    await _check_still_valid(conn, channel_id, people)
    now = runtime.clock()
    bits = await read_bits(conn, channel_id, [tag], locked)
    holders = await holders_of(conn, channel_id, tag)
    slot_numbers = slots_of(offsets)
    removed = await take_tag(conn, channel_id, bits, holders, slot_numbers, ordinals)
    if ordinals:
        await batch_members.remove_from_batches(conn, channel_id, holders.keys, slot_numbers, offsets)
    notifications = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, now=now
    )
    receipt = unnumbered_receipt(channel_id, batch, people, now, removed=removed)
    receipt = replace(receipt, unchanged=receipt.unchanged - removed)
    return WrittenBatches(await _save_batches(conn, channel_id, [batch], [receipt], people), notifications)


async def _replace(
    conn: Connection, runtime: Runtime, channel_id: int, batch: PreparedBatch, people: ResolvedPeople
) -> WrittenBatches:
    tag_id, key_id = batch.tag
    tag = (await return_batches.lock_tags_exclusive(conn, channel_id, [tag_id]))[tag_id]
    if not tag.living:
        raise TagDeletedError
    ordinals = people.of(batch)
    blocks = {block_of(each) for each in ordinals}
    blocks.update(await batch_members.blocks_of_tag(conn, channel_id, tag_id))
    locked = await heads.lock_heads(conn, channel_id, blocks)
    await _check_still_valid(conn, channel_id, people)
    now = runtime.clock()
    bits = await read_bits(conn, channel_id, [tag], locked)
    holders, slot_numbers = await holders_of(conn, channel_id, tag), slots_of(blocks)
    staying = {*ordinals, *await _held_by_other_keys(conn, channel_id, holders, key_id, slot_numbers)}
    leaving = [each for each in bits.members(tag_id) if each not in staying]
    removed = await take_tag(conn, channel_id, bits, holders, slot_numbers, leaving)
    added = give_tag(bits, tag, ordinals)
    await batch_members.delete_batch_members_of_key(conn, channel_id, key_id)
    await return_batches.end_batches_of_key(conn, channel_id, key_id, now)
    notifications = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, now=now
    )
    receipt = unnumbered_receipt(
        channel_id, batch, people, now, added=added, removed=removed, new_users=len(people.new)
    )
    return WrittenBatches(await _save_batches(conn, channel_id, [batch], [receipt], people), notifications)


async def _held_by_other_keys(
    conn: Connection, channel_id: int, holders: TagHolders, key_id: int, slot_numbers: Sequence[int]
) -> set[int]:
    """Return whom batches of a tag hold in these slots that came by other keys than this one."""
    others = [each for each in holders.keys if each != key_id]
    if not others:
        return set()
    return ordinals_in(await batch_members.batch_members_by_keys(conn, channel_id, others, slot_numbers))


async def _check_still_valid(conn: Connection, channel_id: int, people: ResolvedPeople) -> None:
    """Check under the locks of the blocks that the gate is open and no user was forgotten since they were looked up.

    Raises ChannelNotBoundError, UserForgottenError.
    """
    state = await channels.channel_state(conn, channel_id)
    if not state.open:
        raise ChannelNotBoundError
    if state.forgotten != people.forgotten:
        await users.raise_if_forgotten(conn, channel_id, people.ordinals.values())


async def _save_batches(
    conn: Connection,
    channel_id: int,
    batches: Sequence[PreparedBatch],
    receipts: Sequence[Receipt],
    people: ResolvedPeople,
) -> list[Receipt]:
    """Assign numbers to the receipts, and write them with the users that the batches hold."""
    numbers = await return_batches.allocate_batch_ids(conn, channel_id, len(batches))
    numbered = [replace(receipt, batch_id=batch_id) for receipt, batch_id in zip(receipts, numbers, strict=True)]
    members = [
        row
        for batch, receipt in zip(batches, numbered, strict=True)
        if batch.mode is not ReturnMode.REMOVE
        for row in batch_member_rows(receipt.key_id, receipt.batch_id, people.of(batch))
    ]
    await return_batches.insert_batches(conn, channel_id, numbered, numbered[0].at)
    if members:
        await batch_members.insert_batch_members(conn, channel_id, members)
    return numbered
