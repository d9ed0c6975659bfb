"""Batches written: the bits of the tag, whom the batch holds, and the receipt, in one transaction.

Locks: idempotency key, tag, batches, blocks, and last the channel's counter of batches. Whoever gives or takes the tag
of some people shares the tag and holds their blocks; whoever replaces all its members has the tag to itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.membership import write_transitions
from service.domain.people.ordinals import find_or_create_users
from service.domain.return_data.members import TagBits, batch_member_rows, by_block, slots_of
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification, block_of
from service.entities.channels import Channel
from service.entities.errors import ChannelNotBoundError
from service.entities.return_data import Receipt, RejectedOpenid, ReturnMode, ReturnSource
from service.storage import channels, users
from service.storage import users as forgetting
from service.storage.blocks import heads
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members, idempotency_keys
from service.storage.return_data import batches as return_batches


class TagDeletedError(Exception):
    """The tag was deleted meanwhile; its key now finds another one, or none."""


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch ready to be written: its tag is there, its openids are well-formed, of this channel, each once."""

    tag_id: int
    mode: ReturnMode
    source: ReturnSource
    subject: str | None
    expires_at: datetime | None
    openids: tuple[str, ...]
    duplicates: int
    rejected: tuple[RejectedOpenid, ...]
    unmatched: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ResolvedPeople:
    """The people of a transaction; `forgotten` is how many of the channel had been, before they were looked up."""

    ordinals: Mapping[str, int]
    new: frozenset[str]
    forgotten: int

    def of(self, batch: PreparedBatch) -> list[int]:
        return sorted(self.ordinals[openid] for openid in batch.openids if openid in self.ordinals)


async def write_add_batches(runtime: Runtime, channel: Channel, batches: Sequence[PreparedBatch]) -> list[Receipt]:
    """Writes ADD batches that arrived together; each has a receipt of its own, as if it had come alone.

    Raises ChannelNotBoundError, TagDeletedError when one of the tags was deleted, and UserForgottenError when one
    of the people was: then nothing is written.
    """
    channel_id = channel.channel_id
    people = await _resolve_people(runtime, channel_id, [openid for each in batches for openid in each.openids])
    async with runtime.pool.acquire() as conn, conn.transaction():
        receipts, notifications = await _add(conn, runtime, channel_id, batches, people)
    runtime.publisher.publish(notifications)
    return receipts


async def write_batch(
    runtime: Runtime, channel: Channel, batch: PreparedBatch, key: tuple[int, str] | None
) -> tuple[Receipt, bool]:
    """Writes one batch of any mode; with `key` (home and text) only if that has no receipt yet: True says it had.

    Raises what `write_add_batches` does.
    """
    channel_id = channel.channel_id
    people = await _resolve_people(
        runtime, channel_id, batch.openids, create_missing=batch.mode is not ReturnMode.REMOVE
    )
    async with runtime.pool.acquire() as conn, conn.transaction():
        written = None if key is None else await idempotency_keys.lock_key(conn, *key)
        if written is not None:
            receipt = await return_batches.batch(conn, *written)
            if receipt is None:
                raise LookupError("a receipt is never deleted")
            return receipt, True
        if batch.mode is ReturnMode.ADD:
            (receipt,), notifications = await _add(conn, runtime, channel_id, [batch], people)
        elif batch.mode is ReturnMode.REMOVE:
            receipt, notifications = await _remove(conn, runtime, channel_id, batch, people)
        else:
            receipt, notifications = await _replace(conn, runtime, channel_id, batch, people)
        if key is not None:
            await idempotency_keys.save_key_receipt(
                conn, *key, idempotency_keys.ReceiptId(channel_id, receipt.batch_id)
            )
    runtime.publisher.publish(notifications)
    return receipt, False


async def _resolve_people(
    runtime: Runtime, channel_id: int, openids: Sequence[str], *, create_missing: bool = True
) -> ResolvedPeople:
    """Whom these openids mean, making those who are new if need be."""
    async with runtime.pool.acquire() as conn:
        forgotten = (await channels.channel_state(conn, channel_id)).forgotten
        if not create_missing:
            return ResolvedPeople(await users.ordinals_of(conn, channel_id, openids), frozenset(), forgotten)
    return ResolvedPeople(*await find_or_create_users(runtime, channel_id, openids), forgotten)


async def _add(
    conn: Connection, runtime: Runtime, channel_id: int, batches: Sequence[PreparedBatch], people: ResolvedPeople
) -> tuple[list[Receipt], list[ChangeNotification]]:
    tag_ids = {batch.tag_id for batch in batches}
    if await return_batches.lock_tags_shared(conn, channel_id, tag_ids) != tag_ids:
        raise TagDeletedError
    locked = await heads.lock_heads(conn, channel_id, {block_of(each) for each in people.ordinals.values()})
    await _check_still_valid(conn, channel_id, people)
    now = runtime.clock()
    bits = TagBits(await batch_members.bits_of_tags(conn, channel_id, tag_ids, locked))
    unclaimed_new = set(people.new)
    receipts = []
    for batch in batches:
        added = bits.add(batch.tag_id, people.of(batch))
        new = unclaimed_new.intersection(batch.openids)
        unclaimed_new -= new
        receipts.append(_receipt(channel_id, batch, people, now, added=added, new_users=len(new)))
    notifications = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, now=now
    )
    return await _save_batches(conn, channel_id, batches, receipts, people), notifications


async def _remove(
    conn: Connection, runtime: Runtime, channel_id: int, batch: PreparedBatch, people: ResolvedPeople
) -> tuple[Receipt, list[ChangeNotification]]:
    if batch.tag_id not in await return_batches.lock_tags_shared(conn, channel_id, [batch.tag_id]):
        raise TagDeletedError
    ordinals = people.of(batch)
    offsets = by_block(ordinals)
    locked = await heads.lock_heads(conn, channel_id, offsets)
    await _check_still_valid(conn, channel_id, people)
    now = runtime.clock()
    bits = TagBits(await batch_members.bits_of_tags(conn, channel_id, [batch.tag_id], locked))
    removed = bits.remove(batch.tag_id, ordinals)
    if ordinals:
        await batch_members.remove_from_batches(conn, channel_id, batch.tag_id, slots_of(offsets), offsets)
    notifications = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, now=now
    )
    receipt = _receipt(channel_id, batch, people, now, removed=removed)
    receipt = replace(receipt, unchanged=len(batch.openids) - removed)
    return (await _save_batches(conn, channel_id, [batch], [receipt], people))[0], notifications


async def _replace(
    conn: Connection, runtime: Runtime, channel_id: int, batch: PreparedBatch, people: ResolvedPeople
) -> tuple[Receipt, list[ChangeNotification]]:
    if not await return_batches.lock_tag_exclusive(conn, channel_id, batch.tag_id):
        raise TagDeletedError
    ordinals = people.of(batch)
    blocks = {block_of(each) for each in ordinals}
    blocks.update(await batch_members.blocks_of_tag(conn, channel_id, batch.tag_id))
    locked = await heads.lock_heads(conn, channel_id, blocks)
    await _check_still_valid(conn, channel_id, people)
    now = runtime.clock()
    bits = TagBits(await batch_members.bits_of_tags(conn, channel_id, [batch.tag_id], locked))
    staying = set(ordinals)
    removed = bits.remove(batch.tag_id, [each for each in bits.members(batch.tag_id) if each not in staying])
    added = bits.add(batch.tag_id, ordinals)
    await batch_members.delete_batch_members_of_tag(conn, channel_id, batch.tag_id)
    await return_batches.end_batches_of_tag(conn, channel_id, batch.tag_id, now)
    notifications = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, now=now
    )
    receipt = _receipt(channel_id, batch, people, now, added=added, removed=removed, new_users=len(people.new))
    return (await _save_batches(conn, channel_id, [batch], [receipt], people))[0], notifications


async def _check_still_valid(conn: Connection, channel_id: int, people: ResolvedPeople) -> None:
    """Under the locks of the blocks: the gate is open, and nobody was forgotten since they were looked up."""
    state = await channels.channel_state(conn, channel_id)
    if not state.open:
        raise ChannelNotBoundError
    if state.forgotten != people.forgotten:
        await forgetting.raise_if_forgotten(conn, channel_id, people.ordinals.values())


async def _save_batches(
    conn: Connection,
    channel_id: int,
    batches: Sequence[PreparedBatch],
    receipts: Sequence[Receipt],
    people: ResolvedPeople,
) -> list[Receipt]:
    """Numbers the receipts and writes them with whom the batches hold."""
    numbers = await return_batches.allocate_batch_ids(conn, channel_id, len(batches))
    numbered = [replace(receipt, batch_id=batch_id) for receipt, batch_id in zip(receipts, numbers, strict=True)]
    support = [
        row
        for batch, receipt in zip(batches, numbered, strict=True)
        if batch.mode is not ReturnMode.REMOVE
        for row in batch_member_rows(receipt.tag_id, receipt.batch_id, people.of(batch))
    ]
    await return_batches.insert_batches(conn, channel_id, numbered, numbered[0].at)
    if support:
        await batch_members.insert_batch_members(conn, channel_id, support)
    return numbered


def _receipt(
    channel_id: int,
    batch: PreparedBatch,
    people: ResolvedPeople,
    at: datetime,
    *,
    added: int = 0,
    removed: int = 0,
    new_users: int = 0,
) -> Receipt:
    """Without its number. Whoever is on the list and was not added had the tag already."""
    ordinals = [] if batch.mode is ReturnMode.REMOVE else people.of(batch)
    return Receipt(
        channel_id=channel_id,
        batch_id=0,
        tag_id=batch.tag_id,
        at=at,
        mode=batch.mode,
        source=batch.source,
        subject=batch.subject,
        expires_at=batch.expires_at,
        added=added,
        removed=removed,
        unchanged=len(batch.openids) - added,
        duplicates=batch.duplicates,
        new_users=new_users,
        rejected=batch.rejected,
        unmatched=batch.unmatched,
        blocks=sorted({block_of(each) for each in ordinals}),
    )
