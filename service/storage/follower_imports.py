"""Store what a follower import learns: new followers in bulk, and whom the import has seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from asyncpg import BitString

from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE, offsets_in
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.default_tags import ChannelRules, RulesDifference


class KnownFollower(NamedTuple):
    """Hold what was known of an openid."""

    ordinal: int
    unionid: str | None
    followed_at: datetime | None
    unfollowed_at: datetime | None
    ad_followed_at: datetime | None
    subscribe_scene: str | None


class ToldFollower(NamedTuple):
    """Hold what WeChat told about a follower; `followed_at` is None where it told no time."""

    openid: str
    unionid: str | None
    followed_at: datetime | None
    ad_followed_at: datetime | None
    subscribe_scene: str | None


class UnseenFollowers(NamedTuple):
    """Hold the offsets of the followers of a block whom an import has not seen, in ascending order."""

    block: int
    offsets: list[int]


class Follower(NamedTuple):
    """Name somebody who follows."""

    ordinal: int
    openid: str


async def known_followers(conn: Connection, channel_id: int, openids: Sequence[str]) -> dict[str, KnownFollower]:
    """Return what is known of those of the openids that the channel has, `{openid: what is known}`."""
    rows = await conn.fetch(STATEMENTS["known_followers"], channel_id, openids)
    return {openid: KnownFollower(*rest) for openid, *rest in rows}


async def holders_of_unionids(conn: Connection, channel_id: int, unionids: Sequence[str]) -> dict[str, str]:
    """Return the openids of the channel that have these unionids, `{unionid: openid}`."""
    rows = await conn.fetch(STATEMENTS["holders_of_unionids"], channel_id, unionids)
    return {row["unionid"]: row["openid"] for row in rows}


async def insert_followers(
    conn: Connection, rules: ChannelRules, followers: Sequence[ToldFollower], *, first_ordinal: int, now: datetime
) -> list[RulesDifference]:
    """Insert followers with consecutive ordinals into locked blocks, and return the default tags that they get."""
    rows = await conn.fetch(
        STATEMENTS["insert_followers"],
        rules.channel_id,
        first_ordinal,
        [each.openid for each in followers],
        [each.unionid for each in followers],
        [each.followed_at for each in followers],
        [each.ad_followed_at for each in followers],
        [each.subscribe_scene for each in followers],
        now,
        rules.bound_at,
    )
    return [RulesDifference(row["block"], tuple(row["offsets"]), row["rules"], 0) for row in rows]


async def returned_unnoticed(
    conn: Connection, channel_id: int, ordinals: Sequence[int], since: datetime
) -> dict[int, datetime]:
    """Return who of these followers does not follow by the facts, and since when at the earliest, `{ordinal: time}`.

    The caller has locked the blocks. Left out is who unfollowed since `since`.
    """
    rows = await conn.fetch(STATEMENTS["returned_unnoticed"], channel_id, ordinals, since)
    return {row["ordinal"]: row["followed_at"] for row in rows}


async def followers_before(
    conn: Connection, channel_id: int, ordinals: Sequence[int], until: datetime
) -> list[Follower]:
    """Return who of these people follows by the facts, of which none is from `until` or later."""
    return [Follower(*row) for row in await conn.fetch(STATEMENTS["followers_before"], channel_id, ordinals, until)]


async def set_subscribe_scenes(conn: Connection, channel_id: int, scenes: Mapping[int, str]) -> None:
    """Record how people came to follow, `{ordinal: scene}`."""
    await conn.execute(STATEMENTS["set_subscribe_scenes"], channel_id, list(scenes), list(scenes.values()))


async def mark_seen(conn: Connection, channel_id: int, job_id: int, seen: Mapping[int, bytes]) -> None:
    """Record whom an import has seen, `{block: bitmap}`."""
    bitmaps = [BitString.frombytes(bits, BLOCK_SIZE) for bits in seen.values()]
    await conn.execute(STATEMENTS["mark_seen"], channel_id, job_id, list(seen), bitmaps)


async def unseen_followers(
    conn: Connection, channel_id: int, job_id: int, first_block: int, limit: int
) -> list[UnseenFollowers]:
    """Return the followers whom an import has not seen, of at most `limit` blocks from `first_block` on."""
    rows = await conn.fetch(STATEMENTS["unseen_followers"], channel_id, job_id, first_block, limit)
    return [
        UnseenFollowers(
            row["block"], _unseen(_number(row["new_users"]) | _number(row["old_users"]), _number(row["seen"]))
        )
        for row in rows
    ]


def _unseen(followers: int, seen: int) -> list[int]:
    return offsets_in((followers & ~seen).to_bytes(BLOCK_BYTES))


def _number(bits: BitString | None) -> int:
    return 0 if bits is None else int.from_bytes(bits.bytes)
