"""Cut the feed of a channel into deliveries, and make the body of one again."""

import time
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import orjson

from service.domain.change_feed.reading import read_feed
from service.domain.runtime import Runtime
from service.entities.change_feed import WHOLE_ENTRY, FeedEvent, FeedFilter, FeedPage, FeedPosition
from service.entities.webhooks import DeliveryKind
from service.storage.change_feed import instant_of
from service.storage.webhook_sending import NewDelivery

# Bytes, with what stands around the events. One event that is larger goes alone.
MAX_BODY: Final = 20_000
BEFORE_EVENTS: Final = b'{"events":['
AFTER_EVENTS: Final = b"]}"
EVENTS_PER_READ: Final = 500
# Seconds after which what was read is read again before it is told: somebody may have been forgotten since.
FRESH_FOR: Final = 1.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Hold the events of one delivery as its body, and what it tells: everything after a position up to `until`.

    `at` is when that was. Without events there is nothing to send. `at_end` tells that nothing comes after it, `last`
    that no other part of a `feed.reset` does.
    """

    kind: DeliveryKind
    body: bytes
    events: int
    after: FeedPosition
    until: FeedPosition
    at: datetime
    at_end: bool
    part: int | None = None
    last: bool = True


class _Event(NamedTuple):
    position: FeedPosition
    encoded: bytes


class FeedBatches:
    """Read the feed of a channel some hundred events at a time, and hand them out in bodies of 20 kB."""

    def __init__(self, runtime: Runtime, channel_id: int) -> None:
        self._runtime = runtime
        self._channel_id = channel_id
        self._events: deque[_Event] = deque()
        self._parts: deque[Batch] = deque()
        # Of what was read last: after which position it goes on now, where it ends, and until when it is fresh.
        self._next: FeedPosition | None = None
        self._which: FeedFilter | None = None
        self._page_end = FeedPosition(0)
        self._page_at: datetime | None = None
        self._page_is_last = False
        self._fresh_until = 0.0

    async def next(self, after: FeedPosition, which: FeedFilter) -> Batch:
        """Return what comes after a position, of a `feed.reset` its next part."""
        if self._parts:
            return self._parts.popleft()
        if not self._events or self._next != after or self._which != which or time.monotonic() > self._fresh_until:
            page = await self._read(after, which)
            if page.missed:
                self._events.clear()
                self._parts.extend(_parts(after, page))
                return self._parts.popleft()
            self._keep(after, which, page)
        return self._cut(after)

    async def again(self, stored: NewDelivery, which: FeedFilter) -> Batch | None:
        """Return the events of a delivery once more, without those about people who were forgotten since.

        None where the log no longer has them. Of a `feed.reset` the present state is told: what came after the one that
        was told first comes after it.
        """
        self._parts.clear()
        if stored.kind is DeliveryKind.RESET:
            return await self._reset_again(stored, which)
        events: list[FeedEvent] = []
        position = stored.after
        while position < stored.until:
            page = await self._read(position, which, until=stored.until)
            if page.missed:
                return None
            events += page.events
            if page.position <= position:
                break
            position = page.position
        body = body_of(_encode(event) for event in events)
        return Batch(
            DeliveryKind.CHANGES, body, len(events), stored.after, stored.until, _at(stored.until), at_end=False
        )

    async def _reset_again(self, stored: NewDelivery, which: FeedFilter) -> Batch | None:
        page = await self._read(stored.after, which)
        if not page.missed or (stored.part or 1) > 1:
            # The tags may be parted in another way by now, so it begins anew.
            return None
        first, *others = _parts(stored.after, page, stored.until)
        self._parts.extend(others)
        return first

    async def _read(self, after: FeedPosition, which: FeedFilter, *, until: FeedPosition | None = None) -> FeedPage:
        return await read_feed(self._runtime, self._channel_id, after, which, limit=EVENTS_PER_READ, until=until)

    def _keep(self, after: FeedPosition, which: FeedFilter, page: FeedPage) -> None:
        self._events = deque(_Event(event.position, _encode(event)) for event in page.events)
        self._next, self._which = after, which
        # Nothing is left of the last entry, so the next one is waited for.
        self._page_end = FeedPosition(page.position.seq, WHOLE_ENTRY) if page.at_end else page.position
        self._page_at, self._page_is_last = page.at, page.at_end
        self._fresh_until = time.monotonic() + FRESH_FOR

    def _cut(self, after: FeedPosition) -> Batch:
        taken: list[_Event] = []
        left = MAX_BODY - len(BEFORE_EVENTS) - len(AFTER_EVENTS) + 1
        while self._events and (not taken or len(self._events[0].encoded) + 1 <= left):
            event = self._events.popleft()
            left -= len(event.encoded) + 1
            taken.append(event)
        whole = not self._events
        until = self._page_end if whole else taken[-1].position
        self._next = until
        return Batch(
            DeliveryKind.CHANGES,
            body_of(event.encoded for event in taken),
            len(taken),
            after,
            until,
            self._page_at if whole and self._page_at is not None else _at(until),
            at_end=whole and self._page_is_last,
        )


def _parts(after: FeedPosition, page: FeedPage, until: FeedPosition | None = None) -> Sequence[Batch]:
    """Return the deliveries of a `feed.reset`, after all of which reading goes on at one position."""
    count = len(page.events)
    return [
        Batch(
            DeliveryKind.RESET,
            body_of([_encode(event)]),
            1,
            after,
            until or page.position,
            page.at,
            at_end=False,
            part=number if count > 1 else None,
            last=number == count,
        )
        for number, event in enumerate(page.events, 1)
    ]


def body_of(encoded: Iterable[bytes]) -> bytes:
    """Return the body of a delivery of events in JSON."""
    return BEFORE_EVENTS + b",".join(encoded) + AFTER_EVENTS


def _encode(event: FeedEvent) -> bytes:
    return orjson.dumps(event.body)


def _at(position: FeedPosition) -> datetime:
    return instant_of(position.seq)
