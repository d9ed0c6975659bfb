"""Convert the users of batches to rows and back, and change the bitmaps of return tags within a transaction."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE, Transition, bitmap_of, block_of, offsets_in
from service.entities.return_data import BatchMembers
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members

BLOCKS_PER_SEGMENT: Final = 32
# 4 bytes a user in a row that fits a page with others; above, one row a block costs less to read.
MAX_ORDINALS_PER_SEGMENT: Final = 400
# A bitmap has 4,000 bytes.
MAX_ORDINALS_PER_LIST: Final = 1_000


def segment_of(block: int) -> int:
    """Return the slot of the row that users of this block may share with those of neighbouring blocks."""
    return -1 - block // BLOCKS_PER_SEGMENT


def slots_of(blocks: Iterable[int]) -> list[int]:
    """Return every slot that may hold users of these blocks, ascending."""
    every = set(blocks)
    return sorted(every | {segment_of(block) for block in every})


def batch_member_rows(key_id: int, batch_id: int, ordinals: Sequence[int]) -> list[BatchMembers]:
    """Return the rows that hold these ascending ordinals for a batch that came by a key."""
    rows = []
    for segment, of_segment in itertools.groupby(ordinals, key=lambda each: segment_of(block_of(each))):
        together = tuple(of_segment)
        if len(together) <= MAX_ORDINALS_PER_SEGMENT:
            rows.append(BatchMembers(key_id, segment, batch_id, together, None))
            continue
        for block, of_block in itertools.groupby(together, key=block_of):
            those = tuple(of_block)
            if len(those) <= MAX_ORDINALS_PER_LIST:
                rows.append(BatchMembers(key_id, block, batch_id, those, None))
            else:
                bits = bitmap_of(ordinal % BLOCK_SIZE for ordinal in those)
                rows.append(BatchMembers(key_id, block, batch_id, None, bits))
    return rows


def ordinals_in(rows: Iterable[BatchMembers]) -> set[int]:
    """Return the ordinals of all users that these rows hold."""
    held: set[int] = set()
    for row in rows:
        if row.ordinals is not None:
            held.update(row.ordinals)
        elif row.members is not None:
            held.update(row.slot * BLOCK_SIZE + offset for offset in offsets_in(row.members))
    return held


def by_block(ordinals: Iterable[int]) -> dict[int, list[int]]:
    """Return `{block: offsets}` of some ordinals, blocks and offsets ascending."""
    offsets: dict[int, list[int]] = {}
    for ordinal in sorted(ordinals):
        offsets.setdefault(ordinal // BLOCK_SIZE, []).append(ordinal % BLOCK_SIZE)
    return offsets


async def forget_batch_members(conn: Connection, channel_id: int, block: int, ordinals: Sequence[int]) -> None:
    """Remove forgotten users from all batches; call it under the lock of their block."""
    await batch_members.remove_from_all_batches(conn, channel_id, slots_of([block]), by_block(ordinals))


class TagBits:
    """Change the bitmaps of some tags in locked blocks in memory, before they are written."""

    def __init__(self, stored: Mapping[tuple[int, int], bytes]) -> None:
        self._bits = {key: bytearray(bits) for key, bits in stored.items()}
        self._gained: dict[int, list[int]] = {}
        self._lost: dict[int, list[int]] = {}

    def members(self, tag_id: int) -> list[int]:
        """Return the ordinals of all users who have a tag, ascending."""
        return [
            block * BLOCK_SIZE + offset
            for (each, block), bits in sorted(self._bits.items())
            if each == tag_id
            for offset in offsets_in(bytes(bits))
        ]

    def among(self, tag_id: int, ordinals: Iterable[int]) -> set[int]:
        """Return those of these users who have a tag."""
        return {each for each in ordinals if self._has(tag_id, *divmod(each, BLOCK_SIZE))}

    def add(self, tag_id: int, ordinals: Iterable[int]) -> int:
        """Give a tag to users, and return how many did not have it."""
        added = 0
        for ordinal in ordinals:
            block, offset = divmod(ordinal, BLOCK_SIZE)
            bits = self._bits.get((tag_id, block))
            if bits is None:
                bits = self._bits[tag_id, block] = bytearray(BLOCK_BYTES)
            mask = 0x80 >> (offset & 7)
            if not bits[offset >> 3] & mask:
                bits[offset >> 3] |= mask
                self._gained.setdefault(ordinal, []).append(tag_id)
                added += 1
        return added

    def remove(self, tag_id: int, ordinals: Iterable[int]) -> int:
        """Take a tag from users, and return how many had it."""
        removed = 0
        for ordinal in ordinals:
            block, offset = divmod(ordinal, BLOCK_SIZE)
            bits = self._bits.get((tag_id, block))
            mask = 0x80 >> (offset & 7)
            if bits is not None and bits[offset >> 3] & mask:
                bits[offset >> 3] &= ~mask
                self._lost.setdefault(ordinal, []).append(tag_id)
                removed += 1
        return removed

    def _has(self, tag_id: int, block: int, offset: int) -> bool:
        bits = self._bits.get((tag_id, block))
        return bits is not None and bool(bits[offset >> 3] & 0x80 >> (offset & 7))

    def transitions(self) -> list[Transition]:
        """Return the changes so far, each user once; no user gains and loses the same tag in one transaction."""
        same: dict[tuple[int, tuple[int, ...], tuple[int, ...]], list[int]] = {}
        for ordinal in sorted(self._gained.keys() | self._lost.keys()):
            change = tuple(self._gained.get(ordinal, ())), tuple(self._lost.get(ordinal, ()))
            same.setdefault((ordinal // BLOCK_SIZE, *change), []).append(ordinal % BLOCK_SIZE)
        return [Transition(block, tuple(offsets), added, lost) for (block, added, lost), offsets in same.items()]
