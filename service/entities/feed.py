"""What the live feed says."""

from dataclasses import dataclass
from datetime import datetime

from service.entities.blocks import ChangeCause
from service.entities.tags import Catalogue


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in one person's feed: a version of the block (None while the person is unknown) and of the tag states,
    each with its instant, so that a restored or pruned database is noticed.
    """

    channel_id: int
    openid_hash: str
    ordinal: int | None
    block_version: int | None
    block_at: datetime | None
    tag_version: int
    tag_version_at: datetime


@dataclass(frozen=True, slots=True)
class UserTagsUpdate:
    """One event of a person's feed. `tags` is the whole set after it; ids resolve in `catalogue`."""

    cursor: Cursor
    reset: bool
    tags: frozenset[int]
    added: frozenset[int]
    removed: frozenset[int]
    updated: frozenset[int]
    cause: ChangeCause | None
    at: datetime
    catalogue: Catalogue


@dataclass(frozen=True, slots=True)
class PanelPosition:
    """A place in one channel's tag panel feed."""

    tag_version: int
    tag_version_at: datetime
    counts_at: datetime


@dataclass(frozen=True, slots=True)
class PanelUpdate:
    """One event of the tag panel. `tag_id` is None on RESET."""

    channel_id: int
    kind: str
    tag_id: int | None
    at: datetime
    catalogue: Catalogue
    position: PanelPosition
