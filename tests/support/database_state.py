"""Read from the database what became of a channel, without the code under test, and check that all of it agrees."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from service.domain.runtime import Runtime
from service.entities.blocks import BLOCK_SIZE, ChangeCause, ordinal_at
from service.entities.channels import Channel
from service.entities.tags import DefaultTagRule
from service.entities.users import FACT_OF_EVENT, Facts, UserEvent
from service.foundation.settings import Windows
from tests.support.oracle import oracle_tags

MISCOUNTED = """
select coalesce(block, c.block) as block, coalesce(tag_id, c.tag_id) as tag_id
from tag_members m
full join tag_member_count c using (channel_id, block, tag_id)
where channel_id = $1 and coalesce(bit_count(m.members), 0) <> coalesce(c.members, 0)
"""
CHANGES_OF_USER = """
select l.version, l.added, l.removed from user_tag_change l
join channel_user u on u.channel_id = l.channel_id and u.ordinal = l.block * 32000 + l.user_offset
where u.channel_id = $1 and u.openid = $2
order by l.version
"""
REMOTE_MEMBERS = "select block, members, synced from remote_members where channel_id = $1 and tag_id = $2"
TABLES_OF_EVENTS = (
    "channel_user",
    "block_head",
    "tag_members",
    "tag_member_count",
    "user_tag_change",
    "bulk_tag_change",
)
TagChanges = tuple[set[int], set[int]]


class RemoteMembers(NamedTuple):
    """Hold the ordinals of those who are known to have a remote tag, and of those who had it at the last sync."""

    members: set[int]
    synced: set[int]


async def remote_members_of(runtime: Runtime, channel: Channel, tag_id: int) -> RemoteMembers:
    """Return who has, as far as is known, the remote tag of one of ours."""
    rows = await runtime.pool.fetch(REMOTE_MEMBERS, channel.channel_id, tag_id)
    return RemoteMembers(
        *(
            {ordinal_at(row["block"], offset) for row in rows for offset in offsets_in(row[side].bytes)}
            for side in RemoteMembers._fields
        )
    )


async def tags_by_ordinal(runtime: Runtime, channel: Channel) -> dict[int, set[int]]:
    """Return every bit, `{ordinal: tag ids}`."""
    tags: dict[int, set[int]] = {}
    for row in await runtime.pool.fetch("select * from tag_members where channel_id = $1", channel.channel_id):
        for offset in offsets_in(row["members"].bytes):
            tags.setdefault(row["block"] * BLOCK_SIZE + offset, set()).add(row["tag_id"])
    return tags


def offsets_in(bitmap: bytes) -> list[int]:
    """Return the positions of the ones, counted from the left."""
    return [index * 8 + bit for index, byte in enumerate(bitmap) if byte for bit in range(8) if byte & 0x80 >> bit]


async def tags_by_openid(runtime: Runtime, channel: Channel) -> dict[str, set[DefaultTagRule]]:
    """Return the default tags of each known person; raise KeyError for a bit of nobody."""
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
    """Return the stored facts of each known person."""
    names = (*FACT_OF_EVENT.values(), "ad_followed_at")
    rows = await runtime.pool.fetch("select * from channel_user where channel_id = $1", channel.channel_id)
    return {row["openid"]: Facts(**{name: row[name] for name in names}) for row in rows}


def expected_facts(events: set[UserEvent]) -> Facts:
    """Return the facts that follow from events: the latest time of each kind."""
    latest: dict[str, datetime] = {}
    for event in events:
        for name in (FACT_OF_EVENT[event.kind], *(("ad_followed_at",) if event.from_ad or event.ad_ids else ())):
            latest[name] = max(event.at, latest.get(name, event.at))
    return Facts(**latest)


async def miscounted(runtime: Runtime, channel: Channel) -> list[tuple[int, int]]:
    """Return (block, tag id) wherever the stored count is not the number of bits."""
    rows = await runtime.pool.fetch(MISCOUNTED, channel.channel_id)
    return [(row["block"], row["tag_id"]) for row in rows]


@dataclass(frozen=True, slots=True)
class HeadRow:
    """Hold the head of a block as stored."""

    block: int
    version: int
    at: datetime
    evaluated_at: datetime


async def heads_of(runtime: Runtime, channel: Channel) -> list[HeadRow]:
    """Return the heads of a channel by block."""
    rows = await runtime.pool.fetch(
        "select block, version, at, evaluated_at from block_head where channel_id = $1 order by block",
        channel.channel_id,
    )
    return [HeadRow(*row) for row in rows]


@dataclass(slots=True)
class Version:
    """Hold what one version of a block changed, as (ordinal, tag id)."""

    causes: set[ChangeCause] = field(default_factory=set)
    added: set[tuple[int, int]] = field(default_factory=set)
    removed: set[tuple[int, int]] = field(default_factory=set)
    bulk: bool = False


async def logged_versions(runtime: Runtime, channel: Channel) -> dict[int, dict[int, Version]]:
    """Return both logs as `{block: {version: changes}}`."""
    blocks: dict[int, dict[int, Version]] = defaultdict(lambda: defaultdict(Version))
    for row in await runtime.pool.fetch("select * from user_tag_change where channel_id = $1", channel.channel_id):
        version = blocks[row["block"]][row["version"]]
        version.causes.add(ChangeCause(row["cause"]))
        ordinal = row["block"] * BLOCK_SIZE + row["user_offset"]
        version.added |= {(ordinal, tag_id) for tag_id in row["added"]}
        version.removed |= {(ordinal, tag_id) for tag_id in row["removed"]}
    for row in await runtime.pool.fetch("select * from bulk_tag_change where channel_id = $1", channel.channel_id):
        version = blocks[row["block"]][row["version"]]
        version.causes.add(ChangeCause(row["cause"]))
        version.bulk = True
        for side, kept in ((version.added, "added"), (version.removed, "removed")):
            assert row[kept] is None or row[f"{kept}_offsets"] is None, "one form of a side, never both"
            bits = offsets_in(row[kept].bytes) if row[kept] else []
            offsets = {*(row[f"{kept}_offsets"] or ()), *bits}
            assert offsets or (row[kept], row[f"{kept}_offsets"]) == (None, None), "an empty side is null"
            side |= {(row["block"] * BLOCK_SIZE + offset, row["tag_id"]) for offset in offsets}
    return blocks


async def replay_and_check(runtime: Runtime, channel: Channel) -> dict[int, dict[int, Version]]:
    """Replay the log and return it; check that no version is missing and that the last gives the stored bits."""
    blocks = await logged_versions(runtime, channel)
    members: set[tuple[int, int]] = set()
    for head in await heads_of(runtime, channel):
        versions = blocks.get(head.block, {})
        assert sorted(versions) == list(range(1, head.version + 1))
        for number in range(1, head.version + 1):
            version = versions[number]
            assert len(version.causes) == 1
            assert version.added or version.removed
            assert not version.added & members, f"version {number} adds what was there"
            assert version.removed <= members, f"version {number} removes what was not there"
            members = (members | version.added) - version.removed
    bits = await tags_by_ordinal(runtime, channel)
    assert members == {(ordinal, tag_id) for ordinal, tag_ids in bits.items() for tag_id in tag_ids}
    return blocks


async def changes_of(runtime: Runtime, channel: Channel, openid: str) -> list[TagChanges]:
    """Return the logged changes of a person in order: tags added and tags removed."""
    rows = await runtime.pool.fetch(CHANGES_OF_USER, channel.channel_id, openid)
    return [(set(row["added"]), set(row["removed"])) for row in rows]


async def tags_of(runtime: Runtime, channel: Channel, openid: str) -> set[DefaultTagRule]:
    """Return the default tags of a person by the stored bits."""
    return (await tags_by_openid(runtime, channel))[openid]


async def count_of(runtime: Runtime, channel: Channel, tag_id: int) -> int:
    """Return the stored number of members of a tag."""
    return int(
        await runtime.pool.fetchval(
            "select coalesce(sum(members), 0) from tag_member_count where channel_id = $1 and tag_id = $2",
            channel.channel_id,
            tag_id,
        )
    )


async def skip_ordinals(runtime: Runtime, channel: Channel, ordinal: int) -> None:
    """Let the next new person have this ordinal; gaps are harmless."""
    await runtime.pool.execute(
        "update channel_state set next_ordinal = $2 where channel_id = $1", channel.channel_id, ordinal
    )


async def table_rows(runtime: Runtime) -> dict[str, list[str]]:
    """Return all rows of each table that an event may touch, as text."""
    return {
        table: [row["t"] for row in await runtime.pool.fetch(f"select t::text as t from {table} t order by 1")]  # noqa: S608
        for table in TABLES_OF_EVENTS
    }


async def check_consistency(
    runtime: Runtime, channel: Channel, happened: set[UserEvent], now: datetime, windows: Windows | None = None
) -> None:
    """Check that facts, bits, counts and log follow from the events that happened, evaluated at `now`."""
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
