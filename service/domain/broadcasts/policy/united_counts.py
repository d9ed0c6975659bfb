"""Count for one person what was counted for two users who turn out to be that person."""

from collections.abc import Mapping
from datetime import date
from typing import TypeAlias

from service.domain.broadcasts.policy.bit_counts import NOTHING_COUNTED, Planes, changed_planes, total
from service.entities.bitmaps import bitmaps_of
from service.entities.blocks import block_of
from service.storage.broadcasts import send_counts
from service.storage.broadcasts.send_counts import CountClass, CounterKey, PlaneKey
from service.storage.database.pool import Connection

Counters: TypeAlias = dict[CounterKey, Planes]


async def unite_counts(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Add what users got who go to what those got who stay, `{ordinal that goes: ordinal that stays}`.

    Nobody is both. The caller holds whatever is locked before counters.
    """
    blocks = {block_of(each) for pair in older_of.items() for each in pair}
    known = await _counters(conn, channel_id, blocks)
    if not known:
        return
    await send_counts.lock_counters(
        conn, channel_id, {CounterKey(each.count_class, each.day, block) for each in known for block in blocks}
    )
    before = await _counters(conn, channel_id, blocks)
    after = dict(before)
    for newer, older in older_of.items():
        _unite(after, newer, older)
    changed = {
        PlaneKey(*key, number): plane
        for key, planes in after.items()
        for number, plane in changed_planes(before.get(key, NOTHING_COUNTED), planes).items()
    }
    if changed:
        await send_counts.save_planes(conn, channel_id, changed)


def _unite(counters: Counters, newer: int, older: int) -> None:
    ((block_of_newer, gone),) = bitmaps_of([newer]).items()
    ((block_of_older, kept),) = bitmaps_of([older]).items()
    for key in [key for key in counters if key.block == block_of_newer]:
        planes = counters[key]
        counters[key] = tuple(plane & ~gone for plane in planes)
        brought = tuple(kept if plane & gone else 0 for plane in planes)
        into = CounterKey(key.count_class, key.day, block_of_older)
        counters[into] = total((counters.get(into, NOTHING_COUNTED), brought))


async def _counters(conn: Connection, channel_id: int, blocks: set[int]) -> Counters:
    found: Counters = {}
    for count_class in CountClass:
        by_block = await send_counts.counters_since(conn, channel_id, count_class, date.min, blocks)
        for block, days in by_block.items():
            found |= {CounterKey(count_class, day, block): planes for day, planes in days.items()}
    return found
