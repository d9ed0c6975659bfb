"""Compute whom return tags should have, as the union of their batches in force (docs/specification.md §4.2)."""

from collections.abc import Mapping
from dataclasses import dataclass

from service.domain.return_data.members import segment_of
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE, block_of, offsets_in
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members

NOBODY = bytes(BLOCK_BYTES)


@dataclass(frozen=True, slots=True)
class ReturnBits:
    """Hold by tag whom the batches in force of a block hold, and who has the tag; nobody where it is absent."""

    expected: Mapping[int, bytes]
    stored: Mapping[int, bytes]

    def tag_ids(self) -> list[int]:
        """Return the ids of all tags that some do or should have, ascending."""
        return sorted(self.expected.keys() | self.stored.keys())

    def missing(self, tag_id: int) -> list[int]:
        """Return the offsets of those who lack a tag, ascending."""
        return _offsets_without(self.expected.get(tag_id, NOBODY), self.stored.get(tag_id, NOBODY))

    def surplus(self, tag_id: int, also_held_by: int | None = None) -> list[int]:
        """Return the offsets of those who have a tag wrongly, ascending; not those who should have another tag."""
        found = self.stored.get(tag_id, NOBODY)
        if also_held_by is not None:
            found = _without(found, self.expected.get(also_held_by, NOBODY))
        return _offsets_without(found, self.expected.get(tag_id, NOBODY))


async def return_bits(conn: Connection, channel_id: int, block: int) -> ReturnBits:
    """Return whom the living return tags of a locked block should have, and whom they have."""
    expected: dict[int, bytearray] = {}
    for row in await batch_members.batch_members_of_block(conn, channel_id, [block, segment_of(block)]):
        bits = expected.setdefault(row.tag_id, bytearray(BLOCK_BYTES))
        if row.members is not None:
            bits[:] = map(int.__or__, bits, row.members)
        for ordinal in row.ordinals or ():
            if block_of(ordinal) == block:
                offset = ordinal % BLOCK_SIZE
                bits[offset >> 3] |= 0x80 >> (offset & 7)
    stored = await batch_members.return_bits_of_block(conn, channel_id, block)
    return ReturnBits({tag_id: bytes(bits) for tag_id, bits in expected.items()}, stored)


def _without(bits: bytes, others: bytes) -> bytes:
    return bytes(one & ~other & 0xFF for one, other in zip(bits, others, strict=True))


def _offsets_without(bits: bytes, others: bytes) -> list[int]:
    return offsets_in(_without(bits, others))
