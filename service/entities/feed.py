"""What the live feed says."""

from dataclasses import dataclass
from datetime import datetime

from service.entities.blocks import ChangeCause
from service.entities.revision import Revision
from service.entities.tags import Catalogue


@dataclass(frozen=True, slots=True)
class Cursor:
    """Mark a place in one person's feed: a revision of the block, None while the person is unknown, and one of the
    tag states of the channel.
    """

    channel_id: int
    openid_hash: str
    ordinal: int | None
    block_revision: Revision | None
    tag_revision: Revision


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
    """Mark a place in one channel's tag panel feed: its tag states, and the newest count."""

    tag_revision: Revision
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
