"""One open conversation page: what it has been told, and what waits to be told."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from typing import Final

from service.domain.feed.cursors import openid_hash
from service.domain.feed.replay import StructuralStep
from service.entities.enums import ChangeCause
from service.entities.feed import Cursor, UserTagsUpdate
from service.entities.tags import Catalogue, UserTagChange
from service.foundation.mailbox import Mailbox
from service.storage.feed import BlockPosition

MOST_SETS: Final = 10_000


@dataclass(slots=True)
class BlockWatch:
    """What is known of a block, and who reads it, by offset."""

    version: int
    at: datetime
    readers: dict[int, set["Subscriber"]] = field(default_factory=dict)

    def everyone(self) -> list["Subscriber"]:
        return [subscriber for readers in self.readers.values() for subscriber in readers]


class Subscriber:
    """Turns changes of bits and of tag states into events about one person.

    `bits` are those of the block version in `place`; `shown` is the set after the newest event in the mailbox.
    Thousands of pages show few different sets, so equal sets are mostly one and the same object.
    """

    __slots__ = ("bits", "block", "channel_id", "mailbox", "openid", "person", "place", "shown")

    def __init__(self, channel_id: int, openid: str) -> None:
        self.channel_id = channel_id
        self.openid = openid
        self.person = openid_hash(openid)
        self.place: BlockPosition | None = None
        self.block: BlockWatch | None = None
        self.bits: frozenset[int] = frozenset()
        self.shown: frozenset[int] = frozenset()
        self.mailbox: Mailbox[UserTagsUpdate] = Mailbox(_collapse)

    def take_place(self, place: BlockPosition | None, block: BlockWatch | None) -> None:
        self.place = place
        self.block = block
        self.bits = frozenset() if place is None else _one_object(place.tag_ids)

    def cursor(self, tag_version: int, tag_version_at: datetime) -> Cursor:
        """Where this page stands: at its block's newest version, even if that did not concern it."""
        if self.place is None or self.block is None:
            return Cursor(self.channel_id, self.person, None, None, None, tag_version, tag_version_at)
        version, at = max((self.place.version, self.place.at), (self.block.version, self.block.at))
        return Cursor(self.channel_id, self.person, self.place.ordinal, version, at, tag_version, tag_version_at)

    def whole(self, catalogue: Catalogue) -> UserTagsUpdate:
        """The whole set as a fresh beginning."""
        self.shown = _one_object(catalogue.shown(self.bits))
        return UserTagsUpdate(
            cursor=self.cursor(catalogue.version, catalogue.at),
            reset=True,
            tags=self.shown,
            added=self.shown,
            removed=frozenset(),
            updated=frozenset(),
            cause=None,
            at=max(catalogue.at, self.place.at) if self.place else catalogue.at,
            catalogue=catalogue,
        )

    def start_over(self, catalogue: Catalogue) -> None:
        self.mailbox.put(self.whole(catalogue))

    def bits_changed(self, change: UserTagChange, catalogue: Catalogue) -> None:
        """A version of the block changed this person's bits; one that is already in them is passed over."""
        if self.place is None or change.version <= self.place.version:
            return
        self.place = replace(self.place, version=change.version, at=change.at)
        self.bits = _one_object((self.bits | set(change.added)) - set(change.removed))
        self.show(catalogue.shown(self.bits), catalogue, (catalogue.version, catalogue.at), change.cause, change.at)

    def step(self, step: StructuralStep, catalogue: Catalogue) -> None:
        """The channel's tags changed; `catalogue` may know of later steps already."""
        shown = _after_step(self.shown, self.bits, step.appeared, step.vanished) if catalogue.open else frozenset()
        self.show(shown, catalogue, (step.version, step.at), step.cause, step.at, step.updated)

    def show(
        self,
        shown: frozenset[int],
        catalogue: Catalogue,
        tag_place: tuple[int, datetime],
        cause: ChangeCause | None,
        at: datetime,
        updated: frozenset[int] = frozenset(),
    ) -> None:
        """Tells what is different from the last event, if anything is."""
        before, self.shown = self.shown, _one_object(shown)
        added, removed, updated = _difference(before, self.shown, updated)
        if not (added or removed or updated):
            return
        self.mailbox.put(
            UserTagsUpdate(
                cursor=self.cursor(*tag_place),
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


@lru_cache(MOST_SETS)
def _one_object(tag_ids: frozenset[int]) -> frozenset[int]:
    return tag_ids


@lru_cache(MOST_SETS)
def _after_step(
    shown: frozenset[int], bits: frozenset[int], appeared: frozenset[int], vanished: frozenset[int]
) -> frozenset[int]:
    return (shown | (appeared & bits)) - vanished


@lru_cache(MOST_SETS)
def _difference(
    before: frozenset[int], after: frozenset[int], edited: frozenset[int]
) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
    """What was added, removed, and edited in place."""
    return after - before, before - after, edited & before & after


def _collapse(waiting: list[UserTagsUpdate]) -> list[UserTagsUpdate]:
    """One event instead of many, with the net difference; a reset among them stays one."""
    first, last = waiting[0], waiting[-1]
    if any(event.reset for event in waiting):
        whole = replace(last, reset=True, added=last.tags, removed=frozenset(), updated=frozenset(), cause=None)
        return [whole]
    before = (first.tags - first.added) | first.removed
    updated = frozenset(tag_id for event in waiting for tag_id in event.updated)
    net = replace(last, added=last.tags - before, removed=before - last.tags, updated=updated & before & last.tags)
    return [net] if net.added or net.removed or net.updated else []
