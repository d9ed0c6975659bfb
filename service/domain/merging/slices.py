"""Merge a tag into another, slice by slice: the people first, then everything else in one structural change.

What people gain is shown at once, block by block. Whatever else is written to either tag meanwhile keeps what is done
(`service/domain/return_data/held_people.py`), so a slice that is repeated, or never was, loses nobody.
"""

from dataclasses import replace
from typing import Final

from service.domain.ad_tags.members import update_ad_tag_members
from service.domain.jobs.running import JobLeaseLostError, save_progress
from service.domain.merging.finishing import finish_merge
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.expressions import any_of
from service.entities.expressions import tag as leaf
from service.entities.jobs import Job
from service.entities.tags import TagKind
from service.storage import combos, tag_merges
from service.storage.blocks import heads
from service.storage.combos import ComboDefinition
from service.storage.database.pool import Connection
from service.storage.tag_merges import BlockCount, TagMerge

BLOCKS_PER_SLICE: Final = 32


async def merge_slice(runtime: Runtime, job: Job) -> Job:
    """Do the next slice of a merge, and return the job after it: RUNNING, or DONE after the last.

    Raises JobLeaseLostError when it was cancelled or another worker has it.
    """
    merge = await _merge_of(runtime, job)
    if job.payload["kind"] == TagKind.AD:
        await update_ad_tag_members(runtime, job.channel_id, merge.into_id, cause=ChangeCause.TAG_MERGED)
        return await finish_merge(runtime, job, merge)
    async with runtime.pool.acquire() as conn:
        counts = await tag_merges.members_by_block(
            conn, job.channel_id, merge.from_id, first=job.payload["next_block"], limit=BLOCKS_PER_SLICE
        )
    if not counts:
        return await finish_merge(runtime, job, merge)
    async with runtime.pool.acquire() as conn, conn.transaction():
        notifications = await _give_members(conn, runtime, job.channel_id, merge, counts)
        done = replace(
            job,
            done=job.done + sum(each.members for each in counts),
            payload={**job.payload, "next_block": counts[-1].block + 1},
        )
        saved = await save_progress(conn, runtime, done)
    runtime.publisher.publish(notifications)
    return saved


async def _merge_of(runtime: Runtime, job: Job) -> TagMerge:
    async with runtime.pool.acquire() as conn:
        merges = await tag_merges.merges_of(conn, job.channel_id)
    found = next((each for each in merges if each.job_id == job.job_id), None)
    if found is None or found.taking_back:
        raise JobLeaseLostError
    return found


async def _give_members(
    conn: Connection, runtime: Runtime, channel_id: int, merge: TagMerge, counts: list[BlockCount]
) -> list[ChangeNotification]:
    """Give the tag merged into to whoever has the other one in some blocks."""
    await heads.lock_heads(conn, channel_id, [each.block for each in counts])
    both = ComboDefinition(merge.into_id, any_of(leaf(merge.from_id), leaf(merge.into_id)))
    notifications = await combos.write_members(
        conn,
        channel_id,
        [each.block for each in counts],
        [both],
        cause=ChangeCause.TAG_MERGED,
        now=runtime.clock(),
    )
    changed = [each.block for each in notifications if each.block is not None]
    await tag_merges.outdate_combos(conn, channel_id, changed)
    return notifications
