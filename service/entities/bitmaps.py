"""Compute with sets of people as bitmaps by block: the bits of a block are one number of 32,000 binary digits.

The first digit is the person with the lowest ordinal, as in the rows of the database. Absent blocks have nobody.
"""

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE, bitmap_of, block_of, offset_of, offsets_in, ordinal_at

Bitmaps: TypeAlias = Mapping[int, int]


def count_people(people: Bitmaps) -> int:
    """Return how many people there are."""
    return sum(bits.bit_count() for bits in people.values())


def without(people: Bitmaps, others: Bitmaps) -> dict[int, int]:
    """Return the people who are not among the others; blocks in which nobody is left are absent."""
    left = {block: bits & ~others.get(block, 0) for block, bits in people.items()}
    return {block: bits for block, bits in left.items() if bits}


def both(people: Bitmaps, others: Bitmaps) -> dict[int, int]:
    """Return the people who are among the others, too."""
    shared = {block: bits & others.get(block, 0) for block, bits in people.items()}
    return {block: bits for block, bits in shared.items() if bits}


def united(people: Bitmaps, others: Bitmaps) -> dict[int, int]:
    """Return the people and the others."""
    return {block: people.get(block, 0) | others.get(block, 0) for block in people.keys() | others.keys()}


def first_people(people: Bitmaps, most: int) -> dict[int, int]:
    """Return the `most` people with the lowest ordinals, all if there are fewer."""
    found = {}
    for block in sorted(people):
        if most <= 0:
            break
        bits = _first_bits(people[block], most)
        if bits:
            found[block] = bits
            most -= bits.bit_count()
    return found


def up_to(people: Bitmaps, last: Bitmaps) -> dict[int, int]:
    """Return the people with ordinals up to the highest of `last`, nobody if that is empty."""
    end = max((block for block, bits in last.items() if bits), default=None)
    if end is None:
        return {}
    lowest = last[end] & -last[end]
    found = {block: bits for block, bits in people.items() if block < end}
    if rest := people.get(end, 0) & -lowest:
        found[end] = rest
    return found


def ordinals_in(people: Bitmaps) -> list[int]:
    """Return the ordinals of people, ascending."""
    return [
        ordinal_at(block, offset)
        for block in sorted(people)
        for offset in offsets_in(people[block].to_bytes(BLOCK_BYTES))
    ]


def bitmaps_of(ordinals: Iterable[int]) -> dict[int, int]:
    """Return the people with these ordinals."""
    offsets: dict[int, list[int]] = {}
    for ordinal in ordinals:
        offsets.setdefault(block_of(ordinal), []).append(offset_of(ordinal))
    return {block: int.from_bytes(bitmap_of(each)) for block, each in offsets.items()}


def _first_bits(bits: int, most: int) -> int:
    """Return the `most` highest bits that are set, by halving where they end."""
    if bits.bit_count() <= most:
        return bits
    low, high = 0, BLOCK_SIZE
    # The bits from `low` on are too many or just enough, those from `high` on are too few.
    while high - low > 1:
        middle = (low + high) // 2
        if (bits >> middle).bit_count() >= most:
            low = middle
        else:
            high = middle
    return bits >> low << low
