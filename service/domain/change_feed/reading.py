"""Read the events of a feed in order, from the logs of blocks and of tag states.

A page is read by few statements, however many entries and blocks it is about. The same events come each time, but for
people who were forgotten since. Source: docs/architecture/15-numbered-feed.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from service.domain.change_feed.bodies import EventWriter
from service.domain.change_feed.bulk_lines import people_of
from service.domain.change_feed.resets import reset_page
from service.domain.change_feed.spans import Span, spans_after
from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE, ChangeCause, ordinal_at
from service.entities.change_feed import (
    EVERYTHING,
    WHOLE_ENTRY,
    FeedEvent,
    FeedEventType,
    FeedFilter,
    FeedPage,
    FeedPosition,
)
from service.storage import feed_lines
from service.storage.change_feed import FeedEntry, instant_of
from service.storage.database.pool import Connection
from service.storage.feed_lines import (
    AFTER_LAST_OFFSET,
    EntryRange,
    Notice,
    TagLine,
    UserLine,
)

# A page ends after so many entries, and after so many lines where a filter leaves few of them.
MAX_ENTRIES: Final = 500
MIN_FILTERED_LINES: Final = 1_000
# The number of a tag that stands for all of the channel.
GATE: Final = 0


async def read_feed(
    runtime: Runtime,
    channel_id: int,
    after: FeedPosition,
    which: FeedFilter = EVERYTHING,
    *,
    limit: int,
    until: FeedPosition | None = None,
) -> FeedPage:
    """Return at most `limit` events after a position, up to `until`, with the position where reading goes on.

    A page may hold few events or none though others follow; only `at_end` tells that nothing does. Where the feed no
    longer reaches back, or never was at this position, the page has `missed`.
    """
    async with runtime.pool.acquire() as conn:
        async with conn.transaction(isolation="repeatable_read", readonly=True):
            lines = limit if which.tag_ids is None else max(limit, MIN_FILTERED_LINES)
            # Nearly every version has a line, and every entry a version.
            part = await feed_lines.entries_from(conn, channel_id, after.seq, min(lines + 1, MAX_ENTRIES))
            spans = None if part is None else spans_after(part, after, until, versions=lines + 1)
            if part is not None and spans is not None:
                page = _Page(after, limit, until)
                await _Reader(conn, channel_id, which, page).read(spans, lines)
                at_end = page.complete and page.position.seq >= part.state.last_seq
                at = runtime.clock() if at_end else instant_of(page.position.seq)
                return FeedPage(tuple(page.events), page.position, at, at_end=at_end)
        return await reset_page(conn, runtime, channel_id, which)


class _Shown(NamedTuple):
    """Hold the tags that people show at a version of the tag states, and since when those that only came with it.

    Who has a tag that comes into effect is not told one by one, so what happened before that is left out.
    """

    tag_ids: frozenset[int]
    since: Mapping[int, datetime]

    def at(self, instant: datetime) -> frozenset[int]:
        """Return which of the tags were shown before an instant."""
        if not self.since:
            return self.tag_ids
        if GATE in self.since and instant <= self.since[GATE]:
            return frozenset()
        return frozenset(each for each in self.tag_ids if each not in self.since or instant > self.since[each])


@dataclass(slots=True)
class _Page:
    """Hold the events found so far and the position behind them; `complete` if nothing of the spans is left."""

    position: FeedPosition
    limit: int
    until: FeedPosition | None
    events: list[FeedEvent] = field(default_factory=list)
    complete: bool = True

    def takes(self, position: FeedPosition) -> bool:
        """Tell whether what stands at a position still belongs into the page."""
        self.complete = len(self.events) < self.limit and (self.until is None or position <= self.until)
        return self.complete

    def pass_by(self, position: FeedPosition, event: FeedEvent | None) -> None:
        """Take an event, if there is one to be told at this position, and go on behind it."""
        self.position = position
        if event is not None:
            self.events.append(event)


class _Reader:
    """Read spans in one snapshot into a page."""

    def __init__(self, conn: Connection, channel_id: int, which: FeedFilter, page: _Page) -> None:
        self._conn = conn
        self._channel_id = channel_id
        self._which = which
        self._page = page
        self._writer = EventWriter(channel_id)
        self._shown: dict[tuple[int, int], _Shown] = {}

    async def read(self, spans: Sequence[Span], max_lines: int) -> None:
        """Read the events of spans up to the limit of the page, and at most so many lines of blocks."""
        page = self._page
        lines, cut = await self._user_lines(spans, max_lines)
        tag_lines = await self._tag_lines(spans)
        notices = await self._notices(spans)
        for span in spans:
            seq = span.entry.seq
            if span.entry.block is not None:
                await self._read_block(span, lines.get(seq, ()))
                page.complete &= cut != seq
            elif span.entry.to_version is not None:
                self._read_tags(span, tag_lines)
            else:
                self._read_notices(span, notices.get(seq, ()))
            if not page.complete:
                return
            page.position = span.end
            page.complete = span.end.version == WHOLE_ENTRY

    async def _user_lines(self, spans: Sequence[Span], most: int) -> tuple[dict[int, list[UserLine]], int | None]:
        """Return the lines of blocks by entry, and the entry in which they end early, None if they do not."""
        ranges = [
            EntryRange(span.entry.seq, span.entry.block, span.after_version, span.after_offset, span.to_version)
            for span in spans
            if span.entry.block is not None
        ]
        if not ranges:
            return {}, None
        lines = await feed_lines.user_lines(self._conn, self._channel_id, ranges, most + 1)
        by_entry = {seq: list(group) for seq, group in groupby(lines[:most], key=lambda line: line.seq)}
        return by_entry, lines[most].seq if len(lines) > most else None

    async def _tag_lines(self, spans: Sequence[Span]) -> list[TagLine]:
        """Return the lines of all spans of tag states, whose versions follow one another."""
        of_tags = [span for span in spans if span.entry.block is None and span.entry.to_version is not None]
        if not of_tags:
            return []
        first, last = of_tags[0], of_tags[-1].entry.to_version
        after_version = first.after_version - (first.after_offset != AFTER_LAST_OFFSET)
        return await feed_lines.tag_lines(self._conn, self._channel_id, after_version, last or 0)

    async def _notices(self, spans: Sequence[Span]) -> dict[int, list[Notice]]:
        seqs = [span.entry.seq for span in spans if span.entry.to_version is None]
        found = await feed_lines.notices(self._conn, self._channel_id, seqs) if seqs else []
        return {seq: list(group) for seq, group in groupby(found, key=lambda notice: notice.seq)}

    async def _read_block(self, span: Span, lines: Sequence[UserLine]) -> None:
        page = self._page
        shown = await self._shown_at(span.entry)
        told = FeedEventType.USER_TAGS_CHANGED in self._which.types
        for line in lines:
            if line.offset is None:
                await self._read_bulk(span, line, shown.at(line.at) if told else frozenset())
            else:
                position = FeedPosition(line.seq, line.version, line.offset)
                if page.takes(position):
                    page.pass_by(position, self._user_event(position, line, shown.at(line.at), told=told))
            if not page.complete:
                return

    def _user_event(
        self, position: FeedPosition, line: UserLine, shown: frozenset[int], *, told: bool
    ) -> FeedEvent | None:
        ordinal = ordinal_at(line.block, position.offset)
        if line.cause == ChangeCause.FORGOTTEN:
            if FeedEventType.USER_FORGOTTEN not in self._which.types:
                return None
            return self._writer.user_forgotten(position, line.at, ordinal)
        if not told:
            return None
        added = [tag_id for tag_id in line.added or () if tag_id in shown]
        removed = [tag_id for tag_id in line.removed or () if tag_id in shown]
        if not (added or removed):
            return None
        return self._writer.user_tags_changed(position, line.at, ordinal, added, removed, line.cause)

    async def _read_bulk(self, span: Span, line: UserLine, shown: frozenset[int]) -> None:
        """Take what one version did to many people, those first who are left from the page before."""
        page = self._page
        begun = line.version == span.after_version and span.after_offset != AFTER_LAST_OFFSET
        lines = await feed_lines.bulk_lines(self._conn, self._channel_id, line.block, line.version, shown)
        left = page.limit - len(page.events) + 1
        for person in people_of(lines, span.after_offset if begun else -1, left):
            position = FeedPosition(line.seq, line.version, person.offset)
            if not page.takes(position):
                return
            ordinal = ordinal_at(line.block, person.offset)
            event = self._writer.user_tags_changed(position, line.at, ordinal, person.added, person.removed, line.cause)
            page.pass_by(position, event)
        end = FeedPosition(line.seq, line.version, BLOCK_SIZE - 1)
        if page.takes(end):
            page.pass_by(end, None)

    def _read_tags(self, span: Span, lines: Sequence[TagLine]) -> None:
        page = self._page
        for line in lines:
            place = (line.version, line.tag_id)
            if line.version > span.to_version or place <= (span.after_version, span.after_offset):
                continue
            position = FeedPosition(span.entry.seq, *place)
            if not page.takes(position):
                return
            event = self._writer.tag_event(position, line)
            page.pass_by(position, event if self._is_told(event, line.tag_id) else None)

    def _read_notices(self, span: Span, notices: Sequence[Notice]) -> None:
        page = self._page
        for notice in notices:
            if notice.place <= span.after_version:
                continue
            position = FeedPosition(notice.seq, notice.place)
            if not page.takes(position):
                return
            event = self._writer.notice(position, notice)
            page.pass_by(position, event if event is not None and self._is_told(event, None) else None)

    def _is_told(self, event: FeedEvent, tag_id: int | None) -> bool:
        wanted = self._which.tag_ids
        return event.body["type"] in self._which.types and (not tag_id or wanted is None or tag_id in wanted)

    async def _shown_at(self, entry: FeedEntry) -> "_Shown":
        """Return which of the tags that are followed people show where the feed has this entry."""
        key = (entry.former_tag_version, entry.tag_version)
        shown = self._shown.get(key)
        if shown is None:
            tag_ids = await feed_lines.shown_tags_at(self._conn, self._channel_id, entry.tag_version)
            if self._which.tag_ids is not None:
                tag_ids &= self._which.tag_ids
            since = {}
            if entry.former_tag_version < entry.tag_version:
                since = await feed_lines.tags_become_shown(self._conn, self._channel_id, *key)
            shown = self._shown[key] = _Shown(tag_ids, since)
        return shown
