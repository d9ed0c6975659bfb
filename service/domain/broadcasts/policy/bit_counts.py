"""Count something for many people at once, in binary numbers that are written across bitmaps.

A bitmap is an int with a bit for each person. A counter is a tuple of bitmaps, its planes: plane p holds the digit of
2^p of each person's count. It has as many as the largest count needs, so nobody's count overflows. Adding one for a
million people costs a few operations on each plane (docs/specification.md §6.6).
"""

from collections.abc import Iterable
from functools import reduce
from itertools import zip_longest
from operator import or_
from typing import Final, TypeAlias

Planes: TypeAlias = tuple[int, ...]

NOTHING_COUNTED: Final[Planes] = ()


def add_one(planes: Planes, people: int) -> Planes:
    """Return the counter in which these people have one more."""
    return total((planes, (people,)))


def take_one(planes: Planes, people: int) -> Planes:
    """Return the counter in which these people have one less; whoever has none keeps none."""
    borrow = people & counted(planes)
    fewer = []
    for plane in planes:
        fewer.append(plane ^ borrow)
        borrow &= ~plane
    return _without_leading_zeros(fewer)


def total(counters: Iterable[Planes]) -> Planes:
    """Return the counter that holds each person's sum over several counters."""
    summed = NOTHING_COUNTED
    for counter in counters:
        summed = _without_leading_zeros(_sum(summed, counter))
    return summed


def at_least(planes: Planes, count: int) -> int:
    """Return the bitmap of those whose count is `count` or more, at least 1. Raises ValueError for less."""
    if count < 1:
        raise ValueError("Everybody has at least 0.")
    if count.bit_length() > len(planes):
        return 0
    more, equal = 0, counted(planes)
    for digit, plane in reversed(list(enumerate(planes))):
        if count >> digit & 1:
            equal &= plane
        else:
            more |= equal & plane
            equal &= ~plane
    return more | equal


def changed_planes(before: Planes, after: Planes) -> dict[int, int]:
    """Return the planes of a counter that are not as they were, `{digit: bitmap}`; those that are gone are 0."""
    both = enumerate(zip_longest(before, after, fillvalue=0))
    return {digit: new for digit, (old, new) in both if old != new}


def counted(planes: Planes) -> int:
    """Return the bitmap of those whose count is not 0."""
    return reduce(or_, planes, 0)


def _sum(one: Planes, other: Planes) -> Planes:
    length = max(len(one), len(other))
    carry = 0
    planes = []
    for a, b in zip(_padded(one, length), _padded(other, length), strict=True):
        planes.append(a ^ b ^ carry)
        carry = a & b | carry & (a ^ b)
    return (*planes, carry)


def _padded(planes: Planes, length: int) -> Planes:
    return planes + (0,) * (length - len(planes))


def _without_leading_zeros(planes: Iterable[int]) -> Planes:
    trimmed = list(planes)
    while trimmed and not trimmed[-1]:
        trimmed.pop()
    return tuple(trimmed)
