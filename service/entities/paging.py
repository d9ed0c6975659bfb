"""Describe parts of long lists."""

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Hold some consecutive items of a list, and whether more follow."""

    items: list[T]
    has_more: bool


class SliceKey(NamedTuple):
    """Name `length` entries of a numbered list, from place `start` on, which counts from 0."""

    list_id: int
    start: int
    length: int


class Slice(NamedTuple, Generic[T]):
    """Hold the entries of a list from one place on, and how many the whole list has."""

    items: list[T]
    total: int
