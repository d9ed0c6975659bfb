"""Give return tags to people and take them away, as the batches that hold them say, also while two tags are merged.

A merge under way shows itself by its locks and marks alone: whoever has the tag that is merged has, or gets with the
merge, the one that it is merged into (docs/specification.md §4.7).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from service.domain.return_data.members import TagBits
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members, batches
from service.storage.return_data.batches import LockedTag


@dataclass(frozen=True, slots=True)
class TagHolders:
    """Hold the keys by which a locked tag has its people, and those of the tag that it is being merged into."""

    tag: LockedTag
    keys: tuple[int, ...]
    keys_into: tuple[int, ...]


async def holders_of(conn: Connection, channel_id: int, tag: LockedTag) -> TagHolders:
    """Return by which keys a locked tag has its people."""
    into = tag.merging_into
    return TagHolders(
        tag,
        tuple(await batches.keys_of_tag(conn, channel_id, tag.tag_id)),
        () if into is None else tuple(await batches.keys_of_tag(conn, channel_id, into)),
    )


async def read_bits(conn: Connection, channel_id: int, tags: Iterable[LockedTag], blocks: Iterable[int]) -> TagBits:
    """Return the bitmaps of locked tags, and of those that they are being merged with, in locked blocks."""
    concerned = {
        tag_id for tag in tags for tag_id in (tag.tag_id, tag.merging_into, tag.merging_from) if tag_id is not None
    }
    return TagBits(await batch_members.bits_of_tags(conn, channel_id, sorted(concerned), blocks))


def give_tag(bits: TagBits, tag: LockedTag, ordinals: Iterable[int]) -> int:
    """Give a tag to people, with the one that it is being merged into; return how many did not have the former."""
    given = list(ordinals)
    if tag.merging_into is not None:
        bits.add(tag.merging_into, given)
    return bits.add(tag.tag_id, given)


async def take_tag(
    conn: Connection,
    channel_id: int,
    bits: TagBits,
    holders: TagHolders,
    slot_numbers: Iterable[int],
    ordinals: Iterable[int],
) -> int:
    """Take a tag from people whom no batch of it holds any more; return how many lost it.

    Whoever has the tag that is being merged into it keeps it. The one that it is being merged into is taken away too,
    but not from those whom a batch of that one holds.
    """
    tag = holders.tag
    losing = list(ordinals)
    if tag.merging_from is not None:
        staying = bits.among(tag.merging_from, losing)
        losing = [each for each in losing if each not in staying]
    if tag.merging_into is not None:
        concerned = sorted(bits.among(tag.merging_into, losing))
        held = await batch_members.held_by_other_batches(
            conn, channel_id, holders.keys_into, slot_numbers, concerned, ()
        )
        bits.remove(tag.merging_into, [each for each in concerned if each not in held])
    return bits.remove(tag.tag_id, losing)
