"""Describe the numbered feed of a channel: what webhooks and `/feed/changes` tell, in one order, again and again alike.

Source: docs/specification.md §6.7.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple

# Larger than any version: a position with it is after all of its entry.
WHOLE_ENTRY: Final = 2**53 - 1


class FeedEventType(StrEnum):
    """Name what a feed tells; the value is that of `type` on the wire, and of the name in GraphQL in dotted form."""

    USER_TAGS_CHANGED = "user.tags_changed"
    USER_FORGOTTEN = "user.forgotten"
    USER_MIGRATED = "user.migrated"
    CHANNEL_STATE_CHANGED = "channel.state_changed"
    TAG_CREATED = "tag.created"
    TAG_UPDATED = "tag.updated"
    TAG_STATE_CHANGED = "tag.state_changed"
    TAG_DELETED = "tag.deleted"
    BROADCAST_FINISHED = "broadcast.finished"
    SYNC_FINISHED = "sync.finished"
    IMPORT_FINISHED = "import.finished"


class FeedPosition(NamedTuple):
    """Name a place in a feed: everything up to this version and offset of entry `seq` has been told.

    Positions are in the order of the feed. `seq` is an entry that there is or was, or the beginning of the feed; with
    version 0 nothing of the entry has been told, with `WHOLE_ENTRY` all of it.
    """

    seq: int
    version: int = 0
    offset: int = 0


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """Say what somebody follows of a channel: types of events, and tags, None for all; of other tags nothing is told.

    `tag_ids` narrows events of people to those tags, and events of tags to them; other events pass.
    """

    types: frozenset[FeedEventType]
    tag_ids: frozenset[int] | None = None


EVERYTHING: Final = FeedFilter(frozenset(FeedEventType))


@dataclass(frozen=True, slots=True)
class FeedEvent:
    """Hold one event as it is told: `body` is ready to be written as JSON, with type, at, channelId and cursor."""

    position: FeedPosition
    at: datetime
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Hold events after a position, in order, and where reading goes on: beyond whatever the filter left out.

    `at` is when the entry there was written; the present where nothing comes after it, which `at_end` tells. `missed`
    tells that the feed no longer reaches back to the position: `events` is then one `feed.reset`, and reading goes on
    at the present.
    """

    events: tuple[FeedEvent, ...]
    position: FeedPosition
    at: datetime
    at_end: bool
    missed: bool = False
