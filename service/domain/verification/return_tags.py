"""Compare return tags with the union of their batches in force, block by block (docs/specification.md §4.2)."""

from service.domain.return_data.members import segment_of
from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE, Transition, block_of, offsets_in, ordinal_at
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members


async def return_tag_differences(conn: Connection, channel_id: int, block: int) -> list[Transition]:
    """Return what would make the return tags of a locked block follow from their batches; each user once.

    Bits of ordinals without a user are left to `members.stray_members`.
    """
    expected: dict[int, bytearray] = {}
    for row in await batch_members.batch_members_of_block(conn, channel_id, [block, segment_of(block)]):
        bits = expected.setdefault(row.tag_id, bytearray(BLOCK_BYTES))
        if row.members is not None:
            expected[row.tag_id] = bytearray(map(int.__or__, bits, row.members))
        for ordinal in row.ordinals or ():
            if block_of(ordinal) == block:
                offset = ordinal % BLOCK_SIZE
                bits[offset >> 3] |= 0x80 >> (offset & 7)
    stored = await batch_members.return_bits_of_block(conn, channel_id, block)
    missing: dict[int, list[int]] = {}
    surplus: dict[int, list[int]] = {}
    for tag_id in sorted(expected.keys() | stored.keys()):
        wanted, found = expected.get(tag_id, bytes(BLOCK_BYTES)), stored.get(tag_id, bytes(BLOCK_BYTES))
        for offset in offsets_in(bytes(want & ~have & 0xFF for want, have in zip(wanted, found, strict=True))):
            missing.setdefault(offset, []).append(tag_id)
        for offset in offsets_in(bytes(have & ~want & 0xFF for want, have in zip(wanted, found, strict=True))):
            surplus.setdefault(offset, []).append(tag_id)
    wrong = missing.keys() | surplus.keys()
    people = await batch_members.existing_ordinals(conn, channel_id, [ordinal_at(block, offset) for offset in wrong])
    return [
        Transition(block, (offset,), tuple(missing.get(offset, ())), tuple(surplus.get(offset, ())))
        for offset in sorted(wrong)
        if ordinal_at(block, offset) in people
    ]
