"""Remove the bits of deleted and lapsed tags, which no user shows from the moment of the change."""

from collections.abc import Sequence
from typing import Final

from service.domain.runtime import Runtime
from service.entities.blocks import ChangeCause, ChangeNotification
from service.entities.combos import ComboGraph
from service.entities.tags import TagState
from service.storage import combos
from service.storage.blocks import heads

BLOCKS_PER_TRANSACTION: Final = 16


async def clear_members(runtime: Runtime, channel_id: int) -> int:
    """Remove the bits of a channel's deleted and lapsed tags, and return in how many blocks there were any.

    The removals are logged like other changes, so that open pages are right when a tag is revived.
    """
    async with runtime.pool.acquire() as conn:
        graph = await combos.combo_graph(conn, channel_id)
        dead = [*deleted_tags(graph), *lapsed_tags(graph)]
        blocks = await combos.blocks_with_members(conn, channel_id, dead) if dead else []
    for first in range(0, len(blocks), BLOCKS_PER_TRANSACTION):
        runtime.publisher.publish(await _clear(runtime, channel_id, blocks[first : first + BLOCKS_PER_TRANSACTION]))
    return len(blocks)


def deleted_tags(graph: ComboGraph) -> list[int]:
    """Return the ids of the deleted tags of a channel."""
    return [tag.tag_id for tag in graph.tags.values() if tag.deleted_at is not None]


def lapsed_tags(graph: ComboGraph) -> list[int]:
    """Return the ids of the LAPSED tags of a channel, without deleted ones."""
    return [tag.tag_id for tag in graph.tags.values() if tag.deleted_at is None and tag.state is TagState.LAPSED]


async def _clear(runtime: Runtime, channel_id: int, blocks: Sequence[int]) -> list[ChangeNotification]:
    async with runtime.pool.acquire() as conn, conn.transaction():
        await heads.lock_heads(conn, channel_id, blocks)
        # Read under the locks: a combo that is revived meanwhile is computed here before or after, not between.
        graph = await combos.combo_graph(conn, channel_id)
        notifications: list[ChangeNotification] = []
        merged = {tag.tag_id for tag in graph.tags.values() if tag.merged_into is not None}
        for tag_ids, cause in (
            ([each for each in deleted_tags(graph) if each not in merged], ChangeCause.TAG_DELETED),
            (sorted(merged), ChangeCause.TAG_MERGED),
            (lapsed_tags(graph), ChangeCause.TAG_LAPSED),
        ):
            if tag_ids:
                emptied = [combos.ComboDefinition(tag_id, None) for tag_id in tag_ids]
                notifications += await combos.write_members(
                    conn, channel_id, blocks, emptied, cause=cause, now=runtime.clock()
                )
    return notifications
