"""Find out what of a feed's entries comes after a position, and whether the logs still have it."""

from typing import NamedTuple

from service.entities.blocks import BLOCK_SIZE
from service.entities.change_feed import WHOLE_ENTRY, FeedPosition
from service.storage.change_feed import FeedEntry
from service.storage.feed_lines import AFTER_LAST_OFFSET, FeedPart, StoredEntry


class Span(NamedTuple):
    """Name what is to be read of an entry: what comes after a version and an offset, up to a version."""

    entry: FeedEntry
    after_version: int
    after_offset: int
    to_version: int

    @property
    def end(self) -> FeedPosition:
        """Return the position behind all of it."""
        if self.to_version < (self.entry.to_version or 0):
            return FeedPosition(self.entry.seq, self.to_version, BLOCK_SIZE - 1)
        return FeedPosition(self.entry.seq, WHOLE_ENTRY)


def spans_after(part: FeedPart, after: FeedPosition, until: FeedPosition | None, *, versions: int) -> list[Span] | None:
    """Return what comes after a position, of so many versions of blocks in all; None where something is missing."""
    begun = bool(part.entries) and part.entries[0].entry.seq == after.seq
    if after < part.state.base or not (begun or after.seq == part.state.base.seq):
        return None
    spans: list[Span] = []
    for stored in part.entries:
        if versions <= 0 or (until is not None and stored.entry.seq > until.seq):
            break
        span = _span(stored.entry, after, versions)
        if span is None:
            continue
        if _is_gone(span, stored, part.tag_base_version):
            return None
        spans.append(span)
        if span.entry.block is not None:
            versions -= span.to_version - span.after_version
    return spans


def _span(entry: FeedEntry, after: FeedPosition, versions: int) -> Span | None:
    """Return what is left of an entry after a position, cut to so many versions of a block; None if nothing is."""
    after_version, after_offset, to_version = entry.from_version or 0, AFTER_LAST_OFFSET, entry.to_version or 0
    if entry.seq == after.seq and after.version:
        after_version, after_offset = after.version, after.offset
        if after_version > (entry.to_version if entry.to_version is not None else WHOLE_ENTRY - 1):
            return None
    if entry.block is not None:
        # A cursor may say more than a block has: it is what somebody sent.
        after_offset = min(after_offset, AFTER_LAST_OFFSET)
        to_version = min(to_version, after_version + versions)
    return Span(entry, after_version, after_offset, to_version)


def _is_gone(span: Span, stored: StoredEntry, tag_base_version: int) -> bool:
    """Tell whether the log no longer has all of it, or of the tag states by which it is told."""
    if span.entry.to_version is None:
        return False
    first = span.after_version + (span.after_offset == AFTER_LAST_OFFSET)
    return stored.base_version >= first or span.entry.tag_version < tag_base_version
