"""Find out what of a feed's entries comes after a position, and whether the logs still have it."""

from typing import Final, NamedTuple

from service.entities.change_feed import WHOLE_ENTRY, FeedPosition
from service.storage.change_feed import FeedEntry
from service.storage.feed_lines import AFTER_LAST_OFFSET, FeedPart, StoredEntry

# A page ends after the entry in which it comes to more versions.
MAX_VERSIONS: Final = 5_000


class Span(NamedTuple):
    """Name what is to be read of an entry: what comes after a version and an offset."""

    entry: FeedEntry
    after_version: int
    after_offset: int


def spans_after(part: FeedPart, after: FeedPosition, until: FeedPosition | None) -> list[Span] | None:
    """Return what comes after a position, of so many entries as a page may have; None where something is missing."""
    begun = bool(part.entries) and part.entries[0].entry.seq == after.seq
    if after < part.state.base or not (begun or after.seq == part.state.base.seq):
        return None
    spans: list[Span] = []
    versions = 0
    for stored in part.entries:
        entry = stored.entry
        if versions > MAX_VERSIONS or (until is not None and entry.seq > until.seq):
            break
        span = _span(entry, after)
        if span is None:
            continue
        if _is_gone(span, stored, part.tag_base_version):
            return None
        spans.append(span)
        versions += 0 if entry.to_version is None else entry.to_version - span.after_version
    return spans


def _span(entry: FeedEntry, after: FeedPosition) -> Span | None:
    """Return what is left of an entry after a position; None if nothing is."""
    if entry.seq == after.seq and after.version:
        begun = after.version <= entry.to_version if entry.to_version is not None else after.version < WHOLE_ENTRY
        return Span(entry, after.version, after.offset) if begun else None
    return Span(entry, entry.from_version or 0, AFTER_LAST_OFFSET)


def _is_gone(span: Span, stored: StoredEntry, tag_base_version: int) -> bool:
    """Tell whether the log no longer has all of it, or of the tag states by which it is told."""
    if span.entry.to_version is None:
        return False
    first = span.after_version + (span.after_offset == AFTER_LAST_OFFSET)
    return stored.base_version >= first or span.entry.tag_version < tag_base_version
