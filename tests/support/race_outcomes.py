"""How a race ended, read without the code under test."""

from datetime import datetime

from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import UserEvent
from service.foundation.settings import Windows
from tests.support.database_state import expected_facts, facts_by_openid, miscounted, tags_by_openid
from tests.support.log_replay import replay_and_check
from tests.support.oracle import oracle_tags

CHANGES = """
select l.version, l.added, l.removed from user_tag_change l
join channel_user u on u.channel_id = l.channel_id and u.ordinal = l.block * 32000 + l.user_offset
where u.channel_id = $1 and u.openid = $2
order by l.version
"""
TABLES = ("channel_user", "block_head", "tag_members", "tag_member_count", "user_tag_change", "bulk_tag_change")

TagChanges = tuple[set[int], set[int]]


async def changes_of(runtime: Runtime, channel: Channel, openid: str) -> list[TagChanges]:
    """What the log says happened to somebody, in order: tags added and tags removed."""
    rows = await runtime.pool.fetch(CHANGES, channel.channel_id, openid)
    return [(set(row["added"]), set(row["removed"])) for row in rows]


async def tags_of(runtime: Runtime, channel: Channel, openid: str) -> set[DefaultTagRule]:
    return (await tags_by_openid(runtime, channel))[openid]


async def count_of(runtime: Runtime, channel: Channel, tag_id: int) -> int:
    """How many members the count beside the bits says a tag has."""
    return int(
        await runtime.pool.fetchval(
            "select coalesce(sum(members), 0) from tag_member_count where channel_id = $1 and tag_id = $2",
            channel.channel_id,
            tag_id,
        )
    )


async def skip_ordinals(runtime: Runtime, channel: Channel, ordinal: int) -> None:
    """Begin to count at an ordinal: gaps are harmless."""
    await runtime.pool.execute(
        "update channel_state set next_ordinal = $2 where channel_id = $1", channel.channel_id, ordinal
    )


async def table_rows(runtime: Runtime) -> dict[str, list[str]]:
    """All rows of everything an event may touch."""
    return {
        table: [row["t"] for row in await runtime.pool.fetch(f"select t::text as t from {table} t order by 1")]  # noqa: S608
        for table in TABLES
    }


async def check_consistency(
    runtime: Runtime, channel: Channel, happened: set[UserEvent], now: datetime, windows: Windows | None = None
) -> None:
    """Facts, bits, counts and log are those of the events that happened, evaluated at `now`."""
    by_openid = {event.openid: {each for each in happened if each.openid == event.openid} for event in happened}
    assert await facts_by_openid(runtime, channel) == {
        openid: expected_facts(events) for openid, events in by_openid.items()
    }
    assert await tags_by_openid(runtime, channel) == {
        openid: oracle_tags(events, channel.bound_at, windows or Windows(), now, channel.kind)
        for openid, events in by_openid.items()
    }
    assert await miscounted(runtime, channel) == []
    await replay_and_check(runtime, channel)
    heads = await runtime.pool.fetch(
        "select distinct ordinal / $2 as block from channel_user where channel_id = $1 except "
        "select block from block_head where channel_id = $1",
        channel.channel_id,
        BLOCK_SIZE,
    )
    assert heads == [], "every ordinal has the head of its block"
