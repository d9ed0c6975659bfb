"""People of a channel: ordinals, facts, ads, and the tags whose bits they have."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import asyncpg
from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE, bitmap_of
from service.entities.revision import Revision
from service.entities.users import ChannelUser, Facts
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS

FACT_NAMES = tuple(field.name for field in fields(Facts))


async def ordinals_of(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, int]:
    """Ordinal by openid, of those that are known."""
    rows = await conn.fetch(STATEMENTS["ordinals_of"], channel_id, list(openids))
    return {row["openid"]: row["ordinal"] for row in rows}


async def insert_users(
    conn: Connection, channel_id: int, openids: Sequence[str], *, first_ordinal: int, now: datetime
) -> None:
    """New people with consecutive ordinals; the caller holds the channel's state and knows that they are new."""
    await conn.execute(STATEMENTS["insert_users"], channel_id, list(openids), first_ordinal, now)


async def users_by_ordinal(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> list[ChannelUser]:
    return [user_of(row) for row in await conn.fetch(STATEMENTS["users_by_ordinal"], channel_id, list(ordinals))]


async def users_of_robot(
    conn: Connection, robot_id: str, channel_id: int, openids: Iterable[str]
) -> list[ChannelUser] | None:
    """Those who are known, or None when the channel is not the robot's: one statement asks both."""
    rows = await conn.fetch(STATEMENTS["users_of_robot"], channel_id, robot_id, list(openids))
    return [user_of(row) for row in rows if row["ordinal"] is not None] if rows else None


async def users_with_tag_ids(
    conn: Connection, robot_id: str, channel_id: int, openids: Iterable[str]
) -> list[tuple[ChannelUser, frozenset[int], "CatalogueRevision"]] | None:
    """The same with the tag ids of each, shown or not, and where the tag states stand, all of one instant."""
    rows = await conn.fetch(STATEMENTS["users_with_tag_ids"], channel_id, robot_id, list(openids))
    known = [row for row in rows if row["ordinal"] is not None]
    return [(user_of(row), frozenset(row["tag_ids"]), catalogue_revision_of(row)) for row in known] if rows else None


async def tags_of_users(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, frozenset[int]]:
    """Tag ids by ordinal, whether shown or not."""
    rows = await conn.fetch(STATEMENTS["tags_of_users"], channel_id, list(ordinals))
    return {row["ordinal"]: frozenset(row["tag_ids"]) for row in rows}


@dataclass(frozen=True, slots=True)
class CatalogueRevision:
    """Say which catalogue of a channel holds at the instant at which bits were read."""

    tags: Revision
    default_tags_as_of: datetime


async def bits_of_users(
    conn: Connection, channel_id: int, ordinals: Sequence[int]
) -> tuple[CatalogueRevision, dict[int, frozenset[int]]]:
    """The same of at least one person, with the `CatalogueRevision` of the same instant."""
    rows = await conn.fetch(STATEMENTS["bits_of_users"], channel_id, ordinals)
    if not rows:
        raise LookupError("a channel never loses its state")
    return catalogue_revision_of(rows[0]), {row["ordinal"]: frozenset(row["tag_ids"]) for row in rows}


async def ads_of_users(
    conn: Connection, channel_id: int, ordinals: Iterable[int]
) -> dict[int, list[tuple[str, datetime]]]:
    """(ad id, last follow through it) by ordinal, oldest first."""
    ads: dict[int, list[tuple[str, datetime]]] = {}
    for row in await conn.fetch(STATEMENTS["ads_of_users"], channel_id, list(ordinals)):
        ads.setdefault(row["ordinal"], []).append((row["ad_id"], row["followed_at"]))
    return ads


async def record_ads(conn: Connection, channel_id: int, ads: Sequence[tuple[int, str, datetime]]) -> None:
    """(ordinal, ad id, follow time); of a repeated pair the latest time wins."""
    latest: dict[tuple[int, str], datetime] = {}
    for ordinal, ad_id, at in ads:
        latest[ordinal, ad_id] = max(at, latest.get((ordinal, ad_id), at))
    keys = sorted(latest)
    await conn.execute(
        STATEMENTS["record_ads"],
        channel_id,
        [ordinal for ordinal, _ in keys],
        [ad_id for _, ad_id in keys],
        [latest[key] for key in keys],
    )


async def tags_since(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, dict[int, datetime]]:
    """By ordinal and tag id, when the tag was last given, as far back as the change log is kept."""
    since: dict[int, dict[int, datetime]] = {}
    for row in await conn.fetch(STATEMENTS["tags_since"], channel_id, list(ordinals)):
        since.setdefault(row["ordinal"], {})[row["tag_id"]] = row["at"]
    return since


def catalogue_revision_of(row: asyncpg.Record) -> CatalogueRevision:
    return CatalogueRevision(Revision(row["tag_version"], row["tag_version_at"]), row["default_tags_as_of"])


def user_of(row: asyncpg.Record) -> ChannelUser:
    return ChannelUser(
        channel_id=row["channel_id"],
        ordinal=row["ordinal"],
        openid=row["openid"],
        unionid=row["unionid"],
        first_seen_at=row["first_seen_at"],
        facts=Facts(**{name: row[name] for name in FACT_NAMES}),
        following=row["following"],
        touchable_until=row["touchable_until"],
    )


class UserForgottenError(Exception):
    """Somebody was forgotten after their ordinal was looked up and before their block was locked; look again."""


@dataclass(frozen=True, slots=True)
class UserToForget:
    """Somebody to be forgotten; `last_fact_at` is None when nothing but the openid was ever known."""

    ordinal: int
    openid: str
    last_fact_at: datetime | None


async def last_facts_of_forgotten(conn: Connection, channel_id: int, hashes: Iterable[bytes]) -> dict[bytes, datetime]:
    """By keyed hash, of those who were forgotten: what happened until then is no news."""
    rows = await conn.fetch(STATEMENTS["last_facts_of_forgotten"], channel_id, list(hashes))
    return {row["openid_hash"]: row["last_fact_at"] for row in rows}


async def unfollowed_until(conn: Connection, channel_id: int, until: datetime, limit: int) -> list[int]:
    """Ordinals of people who have not followed since."""
    return [row["ordinal"] for row in await conn.fetch(STATEMENTS["unfollowed_until"], channel_id, until, limit)]


async def users_to_forget(
    conn: Connection, channel_id: int, ordinals: Iterable[int], unfollowed: datetime | None
) -> list[UserToForget]:
    """Those still there and, with `unfollowed`, not following since; the caller holds their block."""
    rows = await conn.fetch(STATEMENTS["users_to_forget"], channel_id, list(ordinals), unfollowed)
    return [UserToForget(row["ordinal"], row["openid"], row["last_fact_at"]) for row in rows]


async def redact_change_log(
    conn: Connection, channel_id: int, block: int, offsets: Sequence[int]
) -> dict[int, set[int]]:
    """Takes what it tells of people out of a locked block's change log; the tags it told of, by offset."""
    rows = await conn.fetch(STATEMENTS["tags_in_log"], channel_id, block, list(offsets))
    await conn.execute(STATEMENTS["redact_user_changes"], channel_id, block, list(offsets))
    mask = BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE)
    await conn.execute(STATEMENTS["redact_bulk_changes"], channel_id, block, list(offsets), mask)
    return {row["user_offset"]: set(row["tag_ids"]) for row in rows}


async def extend_removed_tags(
    conn: Connection, channel_id: int, block: int, version: int, removed: Mapping[int, Iterable[int]]
) -> None:
    """What one version of a locked block took, by offset."""
    texts = ["{" + ",".join(map(str, sorted(tag_ids))) + "}" for tag_ids in removed.values()]
    await conn.execute(STATEMENTS["extend_removed_tags"], channel_id, block, version, list(removed), texts)


async def delete_users(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> None:
    """The caller holds the channel's state and the block, and has taken the people's bits."""
    await conn.execute(STATEMENTS["delete_user_ads"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["delete_users"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["decrement_user_count"], channel_id, len(ordinals))


async def remember_forgotten(
    conn: Connection, channel_id: int, last_facts: Mapping[bytes, datetime], now: datetime
) -> None:
    await conn.execute(STATEMENTS["remember_forgotten"], channel_id, list(last_facts), list(last_facts.values()), now)


async def prune_forgotten(conn: Connection, channel_id: int, before: datetime) -> None:
    await conn.execute(STATEMENTS["prune_forgotten"], channel_id, before)


async def raise_if_forgotten(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> None:
    """Raises UserForgottenError if one of these is nobody's; the caller has locked their blocks before."""
    if await conn.fetch(STATEMENTS["missing_ordinals"], channel_id, list(ordinals)):
        raise UserForgottenError


@dataclass(frozen=True, slots=True)
class Identity:
    """One known openid; `unionid` is None until it is linked."""

    openid: str
    ordinal: int
    unionid: str | None


async def identities_of_openids(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, Identity]:
    """By openid, those that are known."""
    rows = await conn.fetch(STATEMENTS["identities_of_openids"], channel_id, list(openids))
    return {row["openid"]: Identity(row["openid"], row["ordinal"], row["unionid"]) for row in rows}


async def identities_of_unionids(conn: Connection, channel_id: int, unionids: Iterable[str]) -> dict[str, Identity]:
    """By unionid, those that somebody of the channel has."""
    rows = await conn.fetch(STATEMENTS["identities_of_unionids"], channel_id, list(unionids))
    return {row["unionid"]: Identity(row["openid"], row["ordinal"], row["unionid"]) for row in rows}


async def set_unionids(conn: Connection, channel_id: int, unionids: Mapping[int, str]) -> None:
    """Unionids by ordinal; the caller holds the channel's state and knows that nobody else has them."""
    await conn.execute(STATEMENTS["set_unionids"], channel_id, list(unionids), list(unionids.values()))


async def users_by_unionid(conn: Connection, channel_id: int, unionids: Iterable[str]) -> list[ChannelUser]:
    """The channel's people with these unionids."""
    return [user_of(row) for row in await conn.fetch(STATEMENTS["users_by_unionid"], channel_id, list(unionids))]
