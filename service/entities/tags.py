"""Tags and the catalogue of one channel."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from service.entities.enums import ChangeCause, DefaultTagRule, TagKind, TagState


class TagKey(NamedTuple):
    """Name a tag by the channel and its number there, whether or not there is one."""

    channel_id: int
    tag_id: int


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag of a channel, living or (with `deleted_at`) a tombstone."""

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

    @property
    def shown(self) -> bool:
        """Whether people who have it show it: it lives and is ACTIVE."""
        return self.deleted_at is None and self.state is TagState.ACTIVE

    @property
    def rule(self) -> DefaultTagRule:
        """Which default tag this is; raises ValueError for the other kinds."""
        if self.kind is not TagKind.DEFAULT:
            raise ValueError(f"{self.kind} tags follow no default rule")
        return DefaultTagRule(self.tag_id)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Catalogue:
    """All tags of a channel as of one tag-state version. Nothing is shown while the gate is closed."""

    channel_id: int
    open: bool
    version: int
    at: datetime
    default_tags_as_of: datetime
    tags: Mapping[int, Tag]
    # What others derive from it, keyed by who derives it. It refers back to the catalogue, so only here, and in no weak
    # dictionary, does it go when the catalogue goes.
    derived: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def revision(self) -> tuple[int, datetime]:
        """The version with its instant: in a restored database the number alone may mean something else."""
        return self.version, self.at

    def shown(self, tag_ids: Iterable[int]) -> frozenset[int]:
        """Those of `tag_ids` that a person's page shows."""
        if not self.open:
            return frozenset()
        return frozenset(tag_id for tag_id in tag_ids if (tag := self.tags.get(tag_id)) is not None and tag.shown)

    def living(self) -> list[Tag]:
        """What the tag panel lists; empty while the gate is closed."""
        return [tag for tag in self.tags.values() if tag.deleted_at is None] if self.open else []


@dataclass(frozen=True, slots=True)
class MemberCount:
    members: int
    at: datetime


@dataclass(frozen=True, slots=True)
class TagSize:
    """How many members a tag had from an instant on."""

    at: datetime
    members: int


@dataclass(frozen=True, slots=True)
class TagChange:
    """One line of the structural log: what a change did to a tag, or (tag_id 0) to the gate."""

    version: int
    at: datetime
    tag_id: int
    kind: str
    cause: ChangeCause | None
    shown_before: bool
    shown_after: bool


@dataclass(frozen=True, slots=True)
class UserTagChange:
    """One line of the change log, as one user sees it."""

    version: int
    at: datetime
    cause: ChangeCause
    offset: int
    added: tuple[int, ...]
    removed: tuple[int, ...]
