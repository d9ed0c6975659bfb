"""Read who gained and lost which tags from the bitmaps of a change of many people, a page at a time."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from service.entities.blocks import BLOCK_BYTES, OFFSETS_IN_BYTE
from service.storage.feed_lines import BulkLine


class PersonLine(NamedTuple):
    """Hold the tags that a person at an offset of a block gained and lost."""

    offset: int
    added: list[int]
    removed: list[int]


def people_of(lines: Sequence[BulkLine], after_offset: int, limit: int) -> list[PersonLine]:
    """Return at most `limit` people whom these lines concern, after an offset (-1 for all), ascending."""
    added = [(line.tag_id, line.added) for line in lines if line.added is not None]
    removed = [(line.tag_id, line.removed) for line in lines if line.removed is not None]
    concerned = 0
    for _, bits in (*added, *removed):
        concerned |= int.from_bytes(bits)
    people: list[PersonLine] = []
    for offset in _offsets_after(concerned.to_bytes(BLOCK_BYTES), after_offset):
        if len(people) == limit:
            break
        byte, mask = offset >> 3, 0x80 >> (offset & 7)
        people.append(
            PersonLine(
                offset,
                [tag_id for tag_id, bits in added if bits[byte] & mask],
                [tag_id for tag_id, bits in removed if bits[byte] & mask],
            )
        )
    return people


def _offsets_after(bits: bytes, after_offset: int) -> Iterator[int]:
    start = (after_offset + 1) >> 3
    for index, byte in enumerate(bits[start:], start):
        if byte:
            for bit in OFFSETS_IN_BYTE[byte]:
                if (offset := index * 8 + bit) > after_offset:
                    yield offset
