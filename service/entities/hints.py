"""Describe what is worth a look about the tags of a channel (docs/specification.md §6.10)."""

from dataclasses import dataclass
from enum import StrEnum


class TagHintKind(StrEnum):
    """Name what is worth a look about a tag, or about two."""

    EQUAL = "EQUAL"
    SUBSET = "SUBSET"
    DISJOINT = "DISJOINT"
    EMPTY = "EMPTY"
    UNUSED = "UNUSED"


@dataclass(frozen=True, slots=True)
class TagHint:
    """Hold a tag, or two, about which something is worth a look, with how many members each has.

    `by_definition` says that what the tags are made of makes it so. `combos` are those with an `all` that holds both
    of two disjoint tags, ascending.
    """

    kind: TagHintKind
    tag_id: int
    members: int
    other_id: int | None = None
    others: int = 0
    by_definition: bool = False
    combos: tuple[int, ...] = ()
