"""Batches written: the bits of the tag, whom the batch holds, and the receipt, in one transaction.

Locks: idempotency key, tag, batches, blocks, and last the channel's counter of batches. Whoever gives or takes the tag
of some people shares the tag and holds their blocks; whoever replaces all its members has the tag to itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from service.domain.membership import write_transitions
from service.domain.people.ordinals import people_for
from service.domain.return_data.members import TagBits, by_block, places_of, support_rows
from service.domain.runtime import Runtime
from service.entities.blocks import WakeUp, block_of
from service.entities.channels import Channel
from service.entities.enums import ChangeCause, ReturnMode, ReturnSource
from service.entities.errors import ChannelNotBoundError
from service.entities.return_data import Receipt, RejectedOpenid
from service.storage import channels, users
from service.storage import users as forgetting
from service.storage.blocks import heads
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members, idempotency_keys
from service.storage.return_data import batches as return_batches


class TagGoneError(Exception):
    """The tag was deleted meanwhile; its key now finds another one, or none."""


@dataclass(frozen=True, slots=True)
class Batch:
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
class _Crowd:
    """The people of a transaction; `forgotten` is how many of the channel had been, before they were looked up."""

    ordinals: Mapping[str, int]
    new: frozenset[str]
    forgotten: int

    def of(self, batch: Batch) -> list[int]:
        return sorted(self.ordinals[openid] for openid in batch.openids if openid in self.ordinals)


async def write_additions(runtime: Runtime, channel: Channel, batches: Sequence[Batch]) -> list[Receipt]:
    """Writes ADD batches that arrived together; each has a receipt of its own, as if it had come alone.

    Raises ChannelNotBoundError, TagGoneError when one of the tags was deleted, and ForgottenMeanwhileError when one
    of the people was: then nothing is written.
    """
    channel_id = channel.channel_id
    crowd = await _crowd(runtime, channel_id, [openid for each in batches for openid in each.openids])
    async with runtime.pool.acquire() as conn, conn.transaction():
        receipts, wake_ups = await _add(conn, runtime, channel_id, batches, crowd)
    runtime.publisher.publish(wake_ups)
    return receipts


async def write_batch(
    runtime: Runtime, channel: Channel, batch: Batch, key: tuple[int, str] | None
) -> tuple[Receipt, bool]:
    """Writes one batch of any mode; with `key` (home and text) only if that has no receipt yet: True says it had.

    Raises what `write_additions` does.
    """
    channel_id = channel.channel_id
    crowd = await _crowd(runtime, channel_id, batch.openids, making=batch.mode is not ReturnMode.REMOVE)
    async with runtime.pool.acquire() as conn, conn.transaction():
        written = None if key is None else await idempotency_keys.lock_key(conn, *key)
        if written is not None:
            receipt = await return_batches.batch(conn, *written)
            if receipt is None:
                raise LookupError("a receipt is never deleted")
            return receipt, True
        if batch.mode is ReturnMode.ADD:
            (receipt,), wake_ups = await _add(conn, runtime, channel_id, [batch], crowd)
        elif batch.mode is ReturnMode.REMOVE:
            receipt, wake_ups = await _remove(conn, runtime, channel_id, batch, crowd)
        else:
            receipt, wake_ups = await _replace(conn, runtime, channel_id, batch, crowd)
        if key is not None:
            await idempotency_keys.settle_key(conn, *key, (channel_id, receipt.batch_id))
    runtime.publisher.publish(wake_ups)
    return receipt, False


async def _crowd(runtime: Runtime, channel_id: int, openids: Sequence[str], *, making: bool = True) -> _Crowd:
    """Whom these openids mean, making those who are new if need be."""
    async with runtime.pool.acquire() as conn:
        forgotten = (await channels.channel_state(conn, channel_id)).forgotten
        if not making:
            return _Crowd(await users.ordinals_of(conn, channel_id, openids), frozenset(), forgotten)
    return _Crowd(*await people_for(runtime, channel_id, openids), forgotten)


async def _add(
    conn: Connection, runtime: Runtime, channel_id: int, batches: Sequence[Batch], crowd: _Crowd
) -> tuple[list[Receipt], list[WakeUp]]:
    tag_ids = {batch.tag_id for batch in batches}
    if await return_batches.share_tags(conn, channel_id, tag_ids) != tag_ids:
        raise TagGoneError
    locked = await heads.lock_heads(conn, channel_id, {block_of(each) for each in crowd.ordinals.values()})
    await _check(conn, channel_id, crowd)
    clock = runtime.clock()
    bits = TagBits(await batch_members.bits_of_tags(conn, channel_id, tag_ids, locked))
    strangers = set(crowd.new)
    receipts = []
    for batch in batches:
        added = bits.add(batch.tag_id, crowd.of(batch))
        new = strangers.intersection(batch.openids)
        strangers -= new
        receipts.append(_receipt(channel_id, batch, crowd, clock, added=added, new_users=len(new)))
    wake_ups = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, clock=clock
    )
    return await _keep(conn, channel_id, batches, receipts, crowd), wake_ups


async def _remove(
    conn: Connection, runtime: Runtime, channel_id: int, batch: Batch, crowd: _Crowd
) -> tuple[Receipt, list[WakeUp]]:
    if batch.tag_id not in await return_batches.share_tags(conn, channel_id, [batch.tag_id]):
        raise TagGoneError
    ordinals = crowd.of(batch)
    offsets = by_block(ordinals)
    locked = await heads.lock_heads(conn, channel_id, offsets)
    await _check(conn, channel_id, crowd)
    clock = runtime.clock()
    bits = TagBits(await batch_members.bits_of_tags(conn, channel_id, [batch.tag_id], locked))
    removed = bits.remove(batch.tag_id, ordinals)
    if ordinals:
        await batch_members.take_out(conn, channel_id, batch.tag_id, places_of(offsets), offsets)
    wake_ups = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, clock=clock
    )
    receipt = _receipt(channel_id, batch, crowd, clock, removed=removed)
    receipt = replace(receipt, unchanged=len(batch.openids) - removed)
    return (await _keep(conn, channel_id, [batch], [receipt], crowd))[0], wake_ups


async def _replace(
    conn: Connection, runtime: Runtime, channel_id: int, batch: Batch, crowd: _Crowd
) -> tuple[Receipt, list[WakeUp]]:
    if not await return_batches.seize_tag(conn, channel_id, batch.tag_id):
        raise TagGoneError
    ordinals = crowd.of(batch)
    blocks = {block_of(each) for each in ordinals}
    blocks.update(await batch_members.blocks_of_tag(conn, channel_id, batch.tag_id))
    locked = await heads.lock_heads(conn, channel_id, blocks)
    await _check(conn, channel_id, crowd)
    clock = runtime.clock()
    bits = TagBits(await batch_members.bits_of_tags(conn, channel_id, [batch.tag_id], locked))
    staying = set(ordinals)
    removed = bits.remove(batch.tag_id, [each for each in bits.members(batch.tag_id) if each not in staying])
    added = bits.add(batch.tag_id, ordinals)
    await batch_members.drop_support_of_tag(conn, channel_id, batch.tag_id)
    await return_batches.end_batches_of_tag(conn, channel_id, batch.tag_id, clock)
    wake_ups = await write_transitions(
        conn, channel_id, locked, bits.transitions(), cause=ChangeCause.RETURN_DATA, clock=clock
    )
    receipt = _receipt(channel_id, batch, crowd, clock, added=added, removed=removed, new_users=len(crowd.new))
    return (await _keep(conn, channel_id, [batch], [receipt], crowd))[0], wake_ups


async def _check(conn: Connection, channel_id: int, crowd: _Crowd) -> None:
    """Under the locks of the blocks: the gate is open, and nobody was forgotten since they were looked up."""
    state = await channels.channel_state(conn, channel_id)
    if not state.open:
        raise ChannelNotBoundError
    if state.forgotten != crowd.forgotten:
        await forgetting.refuse_forgotten(conn, channel_id, crowd.ordinals.values())


async def _keep(
    conn: Connection, channel_id: int, batches: Sequence[Batch], receipts: Sequence[Receipt], crowd: _Crowd
) -> list[Receipt]:
    """Numbers the receipts and writes them with whom the batches hold."""
    numbers = await return_batches.take_batch_numbers(conn, channel_id, len(batches))
    numbered = [replace(receipt, batch_id=batch_id) for receipt, batch_id in zip(receipts, numbers, strict=True)]
    support = [
        row
        for batch, receipt in zip(batches, numbered, strict=True)
        if batch.mode is not ReturnMode.REMOVE
        for row in support_rows(receipt.tag_id, receipt.batch_id, crowd.of(batch))
    ]
    await return_batches.insert_batches(conn, channel_id, numbered, numbered[0].at)
    if support:
        await batch_members.insert_support(conn, channel_id, support)
    return numbered


def _receipt(
    channel_id: int,
    batch: Batch,
    crowd: _Crowd,
    at: datetime,
    *,
    added: int = 0,
    removed: int = 0,
    new_users: int = 0,
) -> Receipt:
    """Without its number. Whoever is on the list and was not added had the tag already."""
    ordinals = [] if batch.mode is ReturnMode.REMOVE else crowd.of(batch)
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
