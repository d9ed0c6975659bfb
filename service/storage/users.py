"""People of a channel: ordinals, facts, ads, and the tags whose bits they have."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import asyncpg

from service.entities.users import ChannelUser, Facts
from service.storage.database import Connection
from service.storage.statements import STATEMENTS

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


async def people_of_robot(
    conn: Connection, robot_id: str, channel_id: int, openids: Iterable[str]
) -> list[ChannelUser] | None:
    """Those who are known, or None when the channel is not the robot's: one statement asks both."""
    rows = await conn.fetch(STATEMENTS["people_of_robot"], channel_id, robot_id, list(openids))
    return [user_of(row) for row in rows if row["ordinal"] is not None] if rows else None


async def people_with_bits(
    conn: Connection, robot_id: str, channel_id: int, openids: Iterable[str]
) -> list[tuple[ChannelUser, frozenset[int], "Standing"]] | None:
    """The same with the tag ids of each, shown or not, and where the tag states stand, all of one instant."""
    rows = await conn.fetch(STATEMENTS["people_with_bits"], channel_id, robot_id, list(openids))
    known = [row for row in rows if row["ordinal"] is not None]
    return [(user_of(row), frozenset(row["tag_ids"]), standing_of(row)) for row in known] if rows else None


async def tags_of_users(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, frozenset[int]]:
    """Tag ids by ordinal, whether shown or not."""
    rows = await conn.fetch(STATEMENTS["tags_of_users"], channel_id, list(ordinals))
    return {row["ordinal"]: frozenset(row["tag_ids"]) for row in rows}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the tag states of a channel stand, as read with the bits."""

    version: int
    at: datetime
    default_tags_as_of: datetime


async def bits_of_users(
    conn: Connection, channel_id: int, ordinals: Sequence[int]
) -> tuple[Standing, dict[int, frozenset[int]]]:
    """The same of at least one person, with the `Standing` of the same instant."""
    rows = await conn.fetch(STATEMENTS["bits_of_users"], channel_id, ordinals)
    if not rows:
        raise LookupError("a channel never loses its state")
    return standing_of(rows[0]), {row["ordinal"]: frozenset(row["tag_ids"]) for row in rows}


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


def standing_of(row: asyncpg.Record) -> Standing:
    return Standing(row["tag_version"], row["tag_version_at"], row["default_tags_as_of"])


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
