"""Describe the tags of a channel, its catalogue, and what happens to them.

Source: docs/specification.md §4.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from service.entities.blocks import ChangeCause
from service.entities.revision import Revision


class TagKind(StrEnum):
    """Name the kinds of tags, by where their members come from."""

    DEFAULT = "DEFAULT"
    RETURN = "RETURN"
    AD = "AD"
    COMBO = "COMBO"


class TagState(StrEnum):
    """Name the states of a tag; only an ACTIVE one is shown and can be used."""

    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    LAPSED = "LAPSED"


class DefaultTagRule(IntEnum):
    """Name the default tags. A value is the id of the tag in every channel; rule *r* is bit *r* - 1 of a rules mask."""

    NEW_USER = 1
    OLD_USER = 2
    OPENED = 3
    NOT_OPENED = 4
    TOUCHABLE = 5
    UNTOUCHABLE = 6
    ADVERTISING = 7
    NON_ADVERTISING = 8


class TagKey(NamedTuple):
    """Name a tag by the channel and its number there, whether or not there is one."""

    channel_id: int
    tag_id: int


@dataclass(frozen=True, slots=True)
class Tag:
    """Describe a tag of a channel; with `deleted_at` it is a tombstone. `version` counts its edits.

    `merged_into` is the id of the tag that has the members and keys of a merged one, which is a tombstone.
    """

    channel_id: int
    tag_id: int
    kind: TagKind
    category: str
    name: str
    description: str | None
    state: TagState
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None
    merged_into: int | None = None

    @property
    def shown(self) -> bool:
        """Tell whether users who have it show it, as they do while it is ACTIVE and not deleted."""
        return self.deleted_at is None and self.state is TagState.ACTIVE

    @property
    def rule(self) -> DefaultTagRule:
        """Return which default tag this is; raises ValueError for tags of other kinds."""
        if self.kind is not TagKind.DEFAULT:
            raise ValueError(f"{self.kind} tags follow no default rule")
        return DefaultTagRule(self.tag_id)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Catalogue:
    """Hold all tags of a channel as of one revision of its tag states, `open` telling whether its gate was open."""

    channel_id: int
    open: bool
    revision: Revision
    default_tags_as_of: datetime
    tags: Mapping[int, Tag]
    # Values that other modules derive from it, by their own keys. They refer back to the catalogue: a weak dictionary
    # elsewhere would keep both alive for ever.
    derived: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def shown(self, tag_ids: Iterable[int]) -> frozenset[int]:
        """Return those of `tag_ids` that users show; none while the gate is closed."""
        if not self.open:
            return frozenset()
        return frozenset(tag_id for tag_id in tag_ids if (tag := self.tags.get(tag_id)) is not None and tag.shown)

    def shows_members(self, tag: Tag) -> bool:
        """Tell whether a tag of the channel counts and lists members: it is shown, and the gate is open.

        Whatever counts the members of a tag or lists them asks this, so that the two agree. Source:
        docs/specification.md §4.6.
        """
        return self.open and tag.shown

    def living(self) -> list[Tag]:
        """Return the tags that are not deleted, as the tag panel lists them; none while the gate is closed."""
        return [tag for tag in self.tags.values() if tag.deleted_at is None] if self.open else []


class CataloguedTag(NamedTuple):
    """Hold a tag with the catalogue that it is in."""

    tag: Tag
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class MemberCount:
    """Hold how many members a tag has had since an instant."""

    members: int
    at: datetime


@dataclass(frozen=True, slots=True)
class TagChange:
    """Hold one row of the structural log: what a change did to a tag or, with `tag_id` 0, to the gate.

    `tag` is the tag as it is after the change, and `lapsed_by` the deleted tags by which it lapsed; both are there to
    be written, and are not read again with the rest.
    """

    version: int
    at: datetime
    tag_id: int
    kind: str
    cause: ChangeCause | None
    shown_before: bool
    shown_after: bool
    tag: Tag | None = None
    lapsed_by: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class UserTagChange:
    """Hold what one version of a block did to one user of it: the ids of the tags gained and lost."""

    version: int
    at: datetime
    cause: ChangeCause
    offset: int
    added: tuple[int, ...]
    removed: tuple[int, ...]

    @property
    def revision(self) -> Revision:
        """Return the revision of the block that this change made."""
        return Revision(self.version, self.at)
