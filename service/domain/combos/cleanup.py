"""Taking the bits of deleted and lapsed tags away. They show nowhere from the moment of the change; this is tidying."""

from collections.abc import Sequence
from typing import Final

from service.domain.runtime import Runtime
from service.entities.blocks import WakeUp
from service.entities.combos import ComboCatalogue
from service.entities.enums import ChangeCause, TagState
from service.storage import combos
from service.storage.blocks import heads

BLOCKS_A_TRANSACTION: Final = 16


async def clear_members(runtime: Runtime, channel_id: int) -> int:
    """Takes them away block by block and logs it, so that open pages know if a tag comes back; how many blocks."""
    async with runtime.pool.acquire() as conn:
        book = await combos.combo_catalogue(conn, channel_id)
        dead = [*deleted_tags(book), *lapsed_tags(book)]
        blocks = await combos.blocks_with_members(conn, channel_id, dead) if dead else []
    for first in range(0, len(blocks), BLOCKS_A_TRANSACTION):
        runtime.publisher.publish(await _clear(runtime, channel_id, blocks[first : first + BLOCKS_A_TRANSACTION]))
    return len(blocks)


def deleted_tags(book: ComboCatalogue) -> list[int]:
    return [tag.tag_id for tag in book.tags.values() if tag.deleted_at is not None]


def lapsed_tags(book: ComboCatalogue) -> list[int]:
    return [tag.tag_id for tag in book.tags.values() if tag.deleted_at is None and tag.state is TagState.LAPSED]


async def _clear(runtime: Runtime, channel_id: int, blocks: Sequence[int]) -> list[WakeUp]:
    async with runtime.pool.acquire() as conn, conn.transaction():
        await heads.lock_heads(conn, channel_id, blocks)
        # Under the locks: a combo that was revived meanwhile is computed there before or after, not between.
        book = await combos.combo_catalogue(conn, channel_id)
        wake_ups: list[WakeUp] = []
        for tag_ids, cause in (
            (deleted_tags(book), ChangeCause.TAG_DELETED),
            (lapsed_tags(book), ChangeCause.TAG_LAPSED),
        ):
            if tag_ids:
                nobody = [(tag_id, None) for tag_id in tag_ids]
                wake_ups += await combos.write_members(
                    conn, channel_id, blocks, nobody, cause=cause, clock=runtime.clock()
                )
    return wake_ups
