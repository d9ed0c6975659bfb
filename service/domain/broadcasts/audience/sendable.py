"""Tell who of an audience cannot be sent to at an instant, and why (docs/specification.md §6.6)."""

from typing import Final

from service.domain.runtime import Runtime
from service.entities.bitmaps import Bitmaps, without
from service.entities.broadcasts import Broadcast, HeldReason
from service.entities.channels import Channel
from service.storage import audiences
from service.storage.database.pool import Connection

# Who follows has one of these default tags.
TAGS_OF_FOLLOWERS: Final = (1, 2)


async def unsendable_now(
    conn: Connection, runtime: Runtime, channel: Channel, broadcast: Broadcast, blocks: Bitmaps
) -> dict[HeldReason, dict[int, int]]:
    """Return who of some people cannot be sent a broadcast's message now, by reason, as bitmaps by block."""
    bits = await audiences.tag_bits_of_blocks(conn, channel.channel_id, blocks, TAGS_OF_FOLLOWERS)
    following: dict[int, int] = {}
    for (block, _), members in bits.items():
        following[block] = following.get(block, 0) | int.from_bytes(members)
    return {HeldReason.NOT_FOLLOWING: without(blocks, following)}
