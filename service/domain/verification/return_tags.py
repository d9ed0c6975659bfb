"""Compare return tags with the union of their batches in force, block by block (docs/specification.md §4.2)."""

from service.domain.return_data.expected_members import return_bits
from service.entities.blocks import Transition, ordinal_at
from service.storage import tag_merges
from service.storage.database.pool import Connection
from service.storage.return_data import batch_members


async def return_tag_differences(conn: Connection, channel_id: int, block: int) -> list[Transition]:
    """Return what would make the return tags of a locked block follow from their batches; each user once.

    While a tag is being merged into another, its people may have the other one, and while that is taken back anybody
    may. Bits of ordinals without a user are left to `members.stray_members`.
    """
    bits = await return_bits(conn, channel_id, block)
    merges = {each.into_id: each for each in await tag_merges.merges_of(conn, channel_id)}
    missing: dict[int, list[int]] = {}
    surplus: dict[int, list[int]] = {}
    for tag_id in bits.tag_ids():
        for offset in bits.missing(tag_id):
            missing.setdefault(offset, []).append(tag_id)
        merge = merges.get(tag_id)
        if merge is not None and merge.taking_back:
            continue
        for offset in bits.surplus(tag_id, None if merge is None else merge.from_id):
            surplus.setdefault(offset, []).append(tag_id)
    wrong = missing.keys() | surplus.keys()
    people = await batch_members.existing_ordinals(conn, channel_id, [ordinal_at(block, offset) for offset in wrong])
    return [
        Transition(block, (offset,), tuple(missing.get(offset, ())), tuple(surplus.get(offset, ())))
        for offset in sorted(wrong)
        if ordinal_at(block, offset) in people
    ]
