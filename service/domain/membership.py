"""Change bits, in the one place that does: flip, count and log them, and raise the block's version, under its lock.

Source: docs/architecture/03-lock-then-difference.md.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from service.entities.blocks import BlockHead, ChangeCause, ChangeNotification, Transition
from service.entities.revision import Revision
from service.storage.blocks import change_log, members
from service.storage.blocks import heads as block_heads
from service.storage.database.pool import Connection

MAX_USERS_LOGGED_INDIVIDUALLY: Final = 64
# A change of more users than this is logged by tag wherever that takes fewer lines.
MAX_USER_LOG_LINES: Final = 1_000


@dataclass(slots=True)
class _OffsetChanges:
    """Hold the offsets of one block that gain and that lose one tag."""

    added: list[int] = field(default_factory=list)
    removed: list[int] = field(default_factory=list)


async def write_transitions(
    conn: Connection,
    channel_id: int,
    heads: Mapping[int, BlockHead],
    transitions: Sequence[Transition],
    *,
    cause: ChangeCause,
    now: datetime,
) -> list[ChangeNotification]:
    """Write transitions into locked blocks, and return the change notifications to publish after the commit.

    The caller must have read the transitions in a statement after the one that locked `heads`.
    """
    blocks = sorted({transition.block for transition in transitions})
    if not blocks:
        return []
    revisions = {block: Revision(heads[block].version + 1, max(now, heads[block].at)) for block in blocks}
    touched = _offsets_by_tag(transitions)
    await members.flip_members(conn, channel_id, _flips(touched, revisions))
    await _log(conn, channel_id, transitions, touched, revisions, cause)
    await block_heads.advance_heads(conn, channel_id, revisions)
    return [ChangeNotification(channel_id, block, revision.version) for block, revision in revisions.items()]


def merge_per_user(transitions: Iterable[Transition]) -> list[Transition]:
    """Merge transitions from several sources so that every user is in one, as `write_transitions` needs it.

    No two sources may change the same tag.
    """
    changes: dict[tuple[int, int], tuple[list[int], list[int]]] = {}
    for transition in transitions:
        for offset in transition.offsets:
            added, removed = changes.setdefault((transition.block, offset), ([], []))
            added += transition.added
            removed += transition.removed
    together: dict[tuple[int, tuple[int, ...], tuple[int, ...]], list[int]] = {}
    for (block, offset), (added, removed) in sorted(changes.items()):
        together.setdefault((block, tuple(sorted(added)), tuple(sorted(removed))), []).append(offset)
    return [Transition(block, tuple(offsets), added, removed) for (block, added, removed), offsets in together.items()]


def _offsets_by_tag(transitions: Iterable[Transition]) -> dict[tuple[int, int], _OffsetChanges]:
    touched: dict[tuple[int, int], _OffsetChanges] = {}
    for transition in transitions:
        for tag_id in transition.added:
            touched.setdefault((transition.block, tag_id), _OffsetChanges()).added.extend(transition.offsets)
        for tag_id in transition.removed:
            touched.setdefault((transition.block, tag_id), _OffsetChanges()).removed.extend(transition.offsets)
    return touched


def _flips(touched: Mapping[tuple[int, int], _OffsetChanges], revisions: Mapping[int, Revision]) -> list[members.Flip]:
    return [
        members.Flip(block, tag_id, offsets.added, offsets.removed, revisions[block].at)
        for (block, tag_id), offsets in sorted(touched.items())
    ]


async def _log(
    conn: Connection,
    channel_id: int,
    transitions: Sequence[Transition],
    touched: Mapping[tuple[int, int], _OffsetChanges],
    revisions: Mapping[int, Revision],
    cause: ChangeCause,
) -> None:
    users: Counter[int] = Counter()
    for transition in transitions:
        users[transition.block] += len(transition.offsets)
    tags = Counter(block for block, _ in touched)
    spread = users.total() > MAX_USER_LOG_LINES
    few = {
        block
        for block, count in users.items()
        if count <= MAX_USERS_LOGGED_INDIVIDUALLY and not (spread and tags[block] < count)
    }
    small = [
        change_log.LogLine(
            each.block, revisions[each.block].version, offset, revisions[each.block].at, each.added, each.removed
        )
        for each in transitions
        if each.block in few
        for offset in each.offsets
    ]
    bulk = [
        change_log.BulkLogLine(
            block, revisions[block].version, tag_id, revisions[block].at, offsets.added, offsets.removed
        )
        for (block, tag_id), offsets in sorted(touched.items())
        if block not in few
    ]
    if small:
        await change_log.log_user_changes(conn, channel_id, small, cause)
    if bulk:
        await change_log.log_bulk_changes(conn, channel_id, bulk, cause)
