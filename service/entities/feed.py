"""Describe the events of the live feeds, and the positions in them from which a client can resume."""

from dataclasses import dataclass
from datetime import datetime

from service.entities.blocks import ChangeCause
from service.entities.revision import Revision
from service.entities.tags import Catalogue


@dataclass(frozen=True, slots=True)
class Cursor:
    """Hold a position in the feed of one user: a revision of the block and one of the tag states.

    Ordinal and block revision are None while the user is unknown. Source: docs/architecture/04-cursors.md.
    """

    channel_id: int
    openid_hash: str
    ordinal: int | None
    block_revision: Revision | None
    tag_revision: Revision


@dataclass(frozen=True, slots=True)
class UserTagsUpdate:
    """Hold one event of the feed of a user. `tags` is the whole set after it; all ids are those of `catalogue`."""

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
    """Hold a position in the feed of a tag panel: a revision of the tag states, and the instant of the newest count."""

    tag_revision: Revision
    counts_at: datetime


@dataclass(frozen=True, slots=True)
class PanelUpdate:
    """Hold one event of the tag panel feed. `tag_id` is None on RESET."""

    channel_id: int
    kind: str
    tag_id: int | None
    at: datetime
    catalogue: Catalogue
    position: PanelPosition
