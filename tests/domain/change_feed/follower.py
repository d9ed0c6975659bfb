"""Follow a channel's feed as another system does, reading some events at a time."""

from dataclasses import dataclass, field
from typing import Any

from service.domain.change_feed.cursors import decode_cursor
from service.domain.change_feed.reading import read_feed
from service.domain.change_feed.sequencing import sequence_channel
from service.domain.runtime import Runtime
from service.entities.change_feed import EVERYTHING, FeedFilter, FeedPosition
from service.entities.channels import Channel
from service.entities.ids import parse_tag_gid, parse_user_gid
from service.storage.change_feed import open_feed, position_now

Body = dict[str, Any]


@dataclass
class Follower:
    """Hold how far somebody has read; `page_size` is how many events are asked for at a time."""

    runtime: Runtime
    channel: Channel
    position: FeedPosition
    which: FeedFilter = EVERYTHING
    page_size: int = 100
    events: list[Body] = field(default_factory=list)

    async def catch_up(self) -> list[Body]:
        """Number what happened, read all that is new, and return it."""
        await sequence_channel(self.runtime, self.channel.channel_id)
        return await self.read()

    async def read(self) -> list[Body]:
        """Read on to the end, and return what was read."""
        found: list[Body] = []
        while True:
            page = await read_feed(
                self.runtime, self.channel.channel_id, self.position, self.which, limit=self.page_size
            )
            assert len(page.events) <= self.page_size or page.missed
            assert page.missed or page.position >= self.position
            assert page.position > self.position or page.at_end
            for event in page.events:
                assert decode_cursor(event.body["cursor"], self.channel.channel_id, "after") == event.position
                assert page.missed or self.position < event.position <= page.position
                self.position = event.position
            self.position = page.position
            found += [dict(event.body) for event in page.events]
            if page.at_end:
                self.events += found
                return found


async def follow(
    runtime: Runtime, channel: Channel, which: FeedFilter = EVERYTHING, *, page_size: int = 100
) -> Follower:
    """Begin to follow a channel now."""
    async with runtime.pool.acquire() as conn:
        await open_feed(conn, channel.channel_id, runtime.clock())
        position = await position_now(conn, channel.channel_id)
    return Follower(runtime, channel, position, which, page_size)


def ordinal_of(event: Body) -> int:
    """Return whom an event is about."""
    return parse_user_gid(event["userId"]).ordinal


def tags_of(event: Body, side: str) -> set[int]:
    """Return the numbers of the tags that somebody gained ("added") or lost ("removed")."""
    return {parse_tag_gid(each).tag_id for each in event[side]}
