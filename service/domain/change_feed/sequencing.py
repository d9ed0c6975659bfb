"""Number what happened in a channel, after its commit: the one place where entries of a feed are written.

Heads, tag states and entries are compared in one snapshot, so whatever was committed before something that has an entry
has one before it or with it. Writers of tags do nothing for this. Source: docs/architecture/15-numbered-feed.md.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from service.domain.runtime import Runtime
from service.storage import change_feed
from service.storage.change_feed import Difference, Differences, FeedEntry, seq_at

# Reading begins and ends within an entry, but looks at all of it: after days without a worker there is more than one.
MAX_VERSIONS_PER_ENTRY: Final = 1_000


async def sequence_channel(runtime: Runtime, channel_id: int) -> bool:
    """Write entries for all that happened in a channel since the last, and tell whether there was anything.

    Does nothing while another process does so, and for a channel without a feed.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        last_seq = await change_feed.lock_feed(conn, channel_id)
        if last_seq is None:
            return False
        # A statement of its own, after the lock: it sees what the process before has written.
        found = await change_feed.differences(conn, channel_id)
        entries = _entries(found, last_seq, runtime.clock())
        if not entries:
            return False
        await change_feed.append_entries(conn, channel_id, entries)
        notices = next((entry for entry in entries if entry.to_version is None), None)
        if notices is not None:
            await change_feed.number_notices(conn, channel_id, notices.seq)
    return True


def _entries(found: Differences, last_seq: int, now: datetime) -> list[FeedEntry]:
    """Return the entries to write: tag states first, then notices, then blocks."""
    # Clocks differ: an entry is not written before what it tells of.
    instant = max((now, *(each.at for each in found.versions)))
    seq = max(last_seq + 1, seq_at(instant))
    parts = [part for each in found.versions for part in _parts(each)]
    if found.has_notices:
        parts.insert(sum(part[0] is None for part in parts), (None, None, None))
    versions = (found.former_tag_version, found.tag_version)
    return [FeedEntry(seq + place, *versions, *part) for place, part in enumerate(parts)]


def _parts(difference: Difference) -> Iterator[tuple[int | None, int | None, int | None]]:
    for start in range(difference.from_version, difference.to_version, MAX_VERSIONS_PER_ENTRY):
        yield difference.block, start, min(start + MAX_VERSIONS_PER_ENTRY, difference.to_version)
