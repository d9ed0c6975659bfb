"""Turn what happens in a channel into the events of one subscriber, which is an open conversation page."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from service.domain.feed.cursors import openid_hash
from service.domain.feed.replay import StructuralStep
from service.entities.blocks import ChangeCause
from service.entities.feed import Cursor, UserTagsUpdate
from service.entities.revision import Revision
from service.entities.tags import Catalogue, UserTagChange
from service.foundation.mailbox import Mailbox
from service.storage.feed import BlockPosition

MAX_CACHED_SETS: Final = 10_000


@dataclass(slots=True)
class BlockWatch:
    """Hold the revision up to which a block was read, and who reads it, by offset."""

    revision: Revision
    readers: dict[int, set["Subscriber"]] = field(default_factory=dict)

    def everyone(self) -> list["Subscriber"]:
        """Return all readers of the block."""
        return [subscriber for readers in self.readers.values() for subscriber in readers]


class _Difference(NamedTuple):
    added: frozenset[int]
    removed: frozenset[int]
    updated: frozenset[int]


class Subscriber:
    """Hold what one subscriber has been sent, and turn changes of bits and of tag states into its events.

    `bits` are those of the revision in `block_position`; `shown` is the set after the newest event in the mailbox.
    Thousands of subscribers show few different sets, so equal sets are mostly one and the same object.
    """

    __slots__ = ("bits", "block", "block_position", "channel_id", "mailbox", "openid", "openid_hash", "shown")

    def __init__(self, channel_id: int, openid: str) -> None:
        self.channel_id = channel_id
        self.openid = openid
        self.openid_hash = openid_hash(openid)
        self.block_position: BlockPosition | None = None
        self.block: BlockWatch | None = None
        self.bits: frozenset[int] = frozenset()
        self.shown: frozenset[int] = frozenset()
        self.mailbox: Mailbox[UserTagsUpdate] = Mailbox(_merge_updates)

    def move_to(self, block_position: BlockPosition | None, block: BlockWatch | None) -> None:
        """Take the bits of a position in a block; None while the user is unknown."""
        self.block_position = block_position
        self.block = block
        self.bits = frozenset() if block_position is None else _interned(block_position.tag_ids)

    def cursor(self, tag_revision: Revision) -> Cursor:
        """Return where this subscriber stands: at the newest revision of its block, whichever user that concerned."""
        if self.block_position is None or self.block is None:
            return Cursor(self.channel_id, self.openid_hash, None, None, tag_revision)
        block_revision = max(self.block_position.revision, self.block.revision)
        return Cursor(self.channel_id, self.openid_hash, self.block_position.ordinal, block_revision, tag_revision)

    def snapshot(self, catalogue: Catalogue) -> UserTagsUpdate:
        """Return the whole set as an event with which a feed begins afresh."""
        self.shown = _interned(catalogue.shown(self.bits))
        return UserTagsUpdate(
            cursor=self.cursor(catalogue.revision),
            reset=True,
            tags=self.shown,
            added=self.shown,
            removed=frozenset(),
            updated=frozenset(),
            cause=None,
            at=max(catalogue.revision.at, self.block_position.revision.at)
            if self.block_position
            else catalogue.revision.at,
            catalogue=catalogue,
        )

    def send_reset(self, catalogue: Catalogue) -> None:
        """Send the whole set as a fresh beginning."""
        self.mailbox.put(self.snapshot(catalogue))

    def apply_bit_change(self, change: UserTagChange, catalogue: Catalogue) -> None:
        """Apply a change of this user's bits, unless they contain it, and send the difference in what is shown."""
        if self.block_position is None or change.version <= self.block_position.revision.version:
            return
        self.block_position = replace(self.block_position, revision=change.revision)
        self.bits = _interned((self.bits | set(change.added)) - set(change.removed))
        self.emit_difference(catalogue.shown(self.bits), catalogue, catalogue.revision, change.cause, change.at)

    def apply_step(self, step: StructuralStep, catalogue: Catalogue) -> None:
        """Apply a change of the channel's tags, and send the difference in what is shown; `catalogue` may be newer."""
        shown = _after_step(self.shown, self.bits, step.appeared, step.vanished) if catalogue.open else frozenset()
        self.emit_difference(shown, catalogue, step.revision, step.cause, step.revision.at, step.updated)

    def emit_difference(
        self,
        shown: frozenset[int],
        catalogue: Catalogue,
        tag_revision: Revision,
        cause: ChangeCause | None,
        at: datetime,
        updated: frozenset[int] = frozenset(),
    ) -> None:
        """Send what is different from the last event, if anything is."""
        before, self.shown = self.shown, _interned(shown)
        added, removed, updated = _difference(before, self.shown, updated)
        if not (added or removed or updated):
            return
        self.mailbox.put(
            UserTagsUpdate(
                cursor=self.cursor(tag_revision),
                reset=False,
                tags=self.shown,
                added=added,
                removed=removed,
                updated=updated,
                cause=cause,
                at=at,
                catalogue=catalogue,
            )
        )


@lru_cache(MAX_CACHED_SETS)
def _interned(tag_ids: frozenset[int]) -> frozenset[int]:
    return tag_ids


@lru_cache(MAX_CACHED_SETS)
def _after_step(
    shown: frozenset[int], bits: frozenset[int], appeared: frozenset[int], vanished: frozenset[int]
) -> frozenset[int]:
    return (shown | (appeared & bits)) - vanished


@lru_cache(MAX_CACHED_SETS)
def _difference(before: frozenset[int], after: frozenset[int], edited: frozenset[int]) -> _Difference:
    return _Difference(after - before, before - after, edited & before & after)


def _merge_updates(waiting: list[UserTagsUpdate]) -> list[UserTagsUpdate]:
    """Merge events into one with the net difference, or none; a reset among them stays a reset."""
    first, last = waiting[0], waiting[-1]
    if any(event.reset for event in waiting):
        snapshot = replace(last, reset=True, added=last.tags, removed=frozenset(), updated=frozenset(), cause=None)
        return [snapshot]
    before = (first.tags - first.added) | first.removed
    updated = frozenset(tag_id for event in waiting for tag_id in event.updated)
    net = replace(last, added=last.tags - before, removed=before - last.tags, updated=updated & before & last.tags)
    return [net] if net.added or net.removed or net.updated else []
