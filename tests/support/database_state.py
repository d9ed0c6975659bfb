"""What the database says about a channel, read without the code under test."""

from dataclasses import dataclass
from datetime import datetime

from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import FACT_OF_EVENT, Facts, UserEvent

MISCOUNTED = """
select coalesce(block, c.block) as block, coalesce(tag_id, c.tag_id) as tag_id
from tag_members m
full join tag_member_count c using (channel_id, block, tag_id)
where channel_id = $1 and coalesce(bit_count(m.members), 0) <> coalesce(c.members, 0)
"""


async def tags_by_ordinal(runtime: Runtime, channel: Channel) -> dict[int, set[int]]:
    """Every bit there is, by ordinal."""
    tags: dict[int, set[int]] = {}
    for row in await runtime.pool.fetch("select * from tag_members where channel_id = $1", channel.channel_id):
        for offset in offsets_in(row["members"].bytes):
            tags.setdefault(row["block"] * BLOCK_SIZE + offset, set()).add(row["tag_id"])
    return tags


def offsets_in(bitmap: bytes) -> list[int]:
    """Where the ones are, counted from the left."""
    return [index * 8 + bit for index, byte in enumerate(bitmap) if byte for bit in range(8) if byte & 0x80 >> bit]


async def tags_by_openid(runtime: Runtime, channel: Channel) -> dict[str, set[DefaultTagRule]]:
    """Default tags of everybody known; a bit of nobody is an error."""
    openids = {
        row["ordinal"]: row["openid"]
        for row in await runtime.pool.fetch(
            "select ordinal, openid from channel_user where channel_id = $1", channel.channel_id
        )
    }
    tags: dict[str, set[DefaultTagRule]] = {openid: set() for openid in openids.values()}
    for ordinal, tag_ids in (await tags_by_ordinal(runtime, channel)).items():
        tags[openids[ordinal]] = {DefaultTagRule(tag_id) for tag_id in tag_ids}
    return tags


async def facts_by_openid(runtime: Runtime, channel: Channel) -> dict[str, Facts]:
    names = (*FACT_OF_EVENT.values(), "ad_followed_at")
    rows = await runtime.pool.fetch("select * from channel_user where channel_id = $1", channel.channel_id)
    return {row["openid"]: Facts(**{name: row[name] for name in names}) for row in rows}


def expected_facts(events: set[UserEvent]) -> Facts:
    """The latest time of each kind."""
    latest: dict[str, datetime] = {}
    for event in events:
        for name in (FACT_OF_EVENT[event.kind], *(("ad_followed_at",) if event.from_ad or event.ad_ids else ())):
            latest[name] = max(event.at, latest.get(name, event.at))
    return Facts(**latest)


async def miscounted(runtime: Runtime, channel: Channel) -> list[tuple[int, int]]:
    """(block, tag id) wherever the stored count is not the number of bits."""
    rows = await runtime.pool.fetch(MISCOUNTED, channel.channel_id)
    return [(row["block"], row["tag_id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class HeadRow:
    block: int
    version: int
    at: datetime
    evaluated_at: datetime


async def heads_of(runtime: Runtime, channel: Channel) -> list[HeadRow]:
    rows = await runtime.pool.fetch(
        "select block, version, at, evaluated_at from block_head where channel_id = $1 order by block",
        channel.channel_id,
    )
    return [HeadRow(*row) for row in rows]
