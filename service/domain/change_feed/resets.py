"""Tell the whole present state of a channel's tags to whoever the feed can no longer tell what they missed."""

from typing import Final

from service.domain.change_feed.bodies import CountedTag, EventWriter
from service.domain.runtime import Runtime
from service.entities.change_feed import FeedFilter, FeedPage
from service.storage import change_feed, tags
from service.storage.blocks import members
from service.storage.database.pool import Connection

# A tag with the longest names takes about 600 bytes, and a body has 20 kB at most.
TAGS_PER_EVENT: Final = 30


async def reset_page(conn: Connection, runtime: Runtime, channel_id: int, which: FeedFilter) -> FeedPage:
    """Return `feed.reset`, in parts where there are many tags, after which reading goes on at the present.

    What is told after it may be contained in it: applied again it changes nothing.
    """
    now = runtime.clock()
    async with conn.transaction():
        await change_feed.open_feed(conn, channel_id, now)
    # In this order: what happens in between is told by entries after the position.
    position = await change_feed.position_now(conn, channel_id)
    catalogue = await tags.catalogue(conn, channel_id)
    counts = await members.member_counts(conn, channel_id)
    counted = [
        CountedTag(tag, counts[tag.tag_id].members if tag.shown and tag.tag_id in counts else 0)
        for tag in catalogue.living()
        if which.tag_ids is None or tag.tag_id in which.tag_ids
    ]
    writer = EventWriter(channel_id)
    parts = [counted[start : start + TAGS_PER_EVENT] for start in range(0, len(counted), TAGS_PER_EVENT)] or [[]]
    events = tuple(
        writer.reset(position, now, part, (number, len(parts)) if len(parts) > 1 else None)
        for number, part in enumerate(parts, 1)
    )
    return FeedPage(events, position, now, at_end=True, missed=True)
