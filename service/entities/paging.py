"""Describe a page of a long list."""

from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")


class Page(NamedTuple, Generic[T]):
    """Hold some consecutive items of a list, and whether more follow."""

    items: list[T]
    has_more: bool
