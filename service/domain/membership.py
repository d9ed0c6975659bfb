"""The one way bits change: flip them, count them, log them and bump the block's version, under its lock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from service.entities.blocks import Head, TagDifference, WakeUp, bitmap_of, block_of, offset_of
from service.entities.enums import ChangeCause
from service.storage import changes as change_log
from service.storage import heads as block_heads
from service.storage import members
from service.storage.database import Connection

MOST_USERS_LOGGED_ONE_BY_ONE: Final = 64


async def write_differences(
    conn: Connection,
    channel_id: int,
    heads: Mapping[int, Head],
    differences: Sequence[TagDifference],
    *,
    cause: ChangeCause,
    clock: datetime,
) -> list[WakeUp]:
    """Writes what `differences` say into locked blocks; the wake-ups are for after the commit.

    The caller read the differences in a statement after the one that locked `heads`.
    """
    by_block: dict[int, list[TagDifference]] = defaultdict(list)
    for difference in differences:
        by_block[block_of(difference.ordinal)].append(difference)
    if not by_block:
        return []
    versions = {block: (heads[block].version + 1, max(clock, heads[block].at)) for block in sorted(by_block)}
    await members.flip_members(conn, channel_id, _flips(by_block, versions))
    await _log(conn, channel_id, by_block, versions, cause)
    await block_heads.advance_heads(conn, channel_id, versions)
    return [WakeUp(channel_id, block, version) for block, (version, _) in versions.items()]


def _flips(
    by_block: Mapping[int, Sequence[TagDifference]], versions: Mapping[int, tuple[int, datetime]]
) -> list[members.Flip]:
    flips = []
    for block, differences in sorted(by_block.items()):
        added, removed = _offsets_by_tag(differences)
        flips += [
            members.Flip(
                block,
                tag_id,
                bitmap_of((*added[tag_id], *removed[tag_id])),
                len(added[tag_id]) - len(removed[tag_id]),
                versions[block][1],
            )
            for tag_id in sorted(added.keys() | removed.keys())
        ]
    return flips


async def _log(
    conn: Connection,
    channel_id: int,
    by_block: Mapping[int, Sequence[TagDifference]],
    versions: Mapping[int, tuple[int, datetime]],
    cause: ChangeCause,
) -> None:
    small: list[change_log.LogLine] = []
    for block, differences in sorted(by_block.items()):
        version, at = versions[block]
        if len(differences) <= MOST_USERS_LOGGED_ONE_BY_ONE:
            small += [
                change_log.LogLine(block, version, offset_of(each.ordinal), at, each.added, each.removed)
                for each in differences
            ]
            continue
        added, removed = _offsets_by_tag(differences)
        for tag_id in sorted(added.keys() | removed.keys()):
            line = change_log.BulkLogLine(block, version, tag_id, at, tuple(added[tag_id]), tuple(removed[tag_id]))
            await change_log.log_bulk_change(conn, channel_id, line, cause)
    if small:
        await change_log.log_user_changes(conn, channel_id, small, cause)


def _offsets_by_tag(
    differences: Iterable[TagDifference],
) -> tuple[defaultdict[int, list[int]], defaultdict[int, list[int]]]:
    added: defaultdict[int, list[int]] = defaultdict(list)
    removed: defaultdict[int, list[int]] = defaultdict(list)
    for difference in differences:
        for tag_id in difference.added:
            added[tag_id].append(offset_of(difference.ordinal))
        for tag_id in difference.removed:
            removed[tag_id].append(offset_of(difference.ordinal))
    return added, removed
