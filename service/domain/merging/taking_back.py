"""Take back what people gained by a merge whose job was cancelled or failed."""

from typing import Final

from service.domain.ad_tags.members import update_ad_tag_members
from service.domain.combos.states import lock_combos
from service.domain.membership import write_transitions
from service.domain.return_data.expected_members import return_bits
from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification, Transition
from service.entities.tags import TagKind
from service.storage import ad_tags, tag_merges
from service.storage.blocks import heads
from service.storage.return_data import batch_members, batches
from service.storage.tag_merges import TagMerge

BLOCKS_PER_TRANSACTION: Final = 8


async def channels_with_ended_merges(runtime: Runtime) -> list[int]:
    """Return the ids of the channels where `take_back_merges` has something to do."""
    async with runtime.pool.acquire() as conn:
        return await tag_merges.channels_with_ended_merges(conn)


async def take_back_merges(runtime: Runtime, channel_id: int) -> int:
    """Take back the merges of a channel that were given up, and return how many there were."""
    async with runtime.pool.acquire() as conn:
        ended = await tag_merges.ended_merges(conn, channel_id)
    for merge in ended:
        if await _give_up(runtime, channel_id, merge) is TagKind.AD:
            await update_ad_tag_members(runtime, channel_id, merge.into_id, cause=ChangeCause.TAG_MERGED)
        else:
            await _take_members_back(runtime, channel_id, merge.into_id)
        async with runtime.pool.acquire() as conn:
            await tag_merges.delete_merge(conn, channel_id, merge)
    return len(ended)


async def _give_up(runtime: Runtime, channel_id: int, merge: TagMerge) -> TagKind:
    """Make the two tags independent of each other again, and return of which kind they are."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        kind = (await lock_combos(conn, channel_id)).tags[merge.into_id].kind
        current = next(
            (each for each in await tag_merges.merges_of(conn, channel_id) if each.job_id == merge.job_id), None
        )
        if current is None or current.taking_back:
            return kind
        await batches.lock_tags_exclusive(conn, channel_id, [merge.from_id, merge.into_id])
        await tag_merges.begin_taking_back(conn, channel_id, merge)
        if merge.added_ads:
            ads = (await ad_tags.ads_of_tags(conn, channel_id, [merge.into_id])).get(merge.into_id, [])
            kept = [each for each in ads if each not in set(merge.added_ads)]
            await ad_tags.replace_ads(conn, channel_id, merge.into_id, kept)
    return kind


async def _take_members_back(runtime: Runtime, channel_id: int, tag_id: int) -> None:
    """Take a return tag from those whom none of its batches holds."""
    async with runtime.pool.acquire() as conn:
        blocks = await batch_members.blocks_of_tag(conn, channel_id, tag_id)
    for first in range(0, len(blocks), BLOCKS_PER_TRANSACTION):
        some = blocks[first : first + BLOCKS_PER_TRANSACTION]
        runtime.publisher.publish(await _correct(runtime, channel_id, some, tag_id))


async def _correct(runtime: Runtime, channel_id: int, blocks: list[int], tag_id: int) -> list[ChangeNotification]:
    async with runtime.pool.acquire() as conn, conn.transaction():
        locked = await heads.lock_heads(conn, channel_id, blocks)
        surplus = {block: (await return_bits(conn, channel_id, block)).surplus(tag_id) for block in locked}
        taken = [Transition(block, tuple(offsets), (), (tag_id,)) for block, offsets in surplus.items() if offsets]
        return await write_transitions(
            conn, channel_id, locked, taken, cause=ChangeCause.TAG_MERGED, now=runtime.clock()
        )
