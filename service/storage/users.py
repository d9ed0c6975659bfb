"""Store users of a channel: ordinals, facts, ads, unionids, the tags whose bits they have; and forget them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
from asyncpg import BitString

from service.entities.blocks import BLOCK_SIZE, ChangeCause, bitmap_of
from service.entities.revision import Revision
from service.entities.users import MAX_ADS_PER_USER, ChannelUser, Facts
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.former_openids import former_openids

FACT_NAMES = tuple(field.name for field in fields(Facts))
# As the driver reads -infinity: somebody followed, and nobody knows when.
UNKNOWN_TIME: Final = datetime.min  # noqa: DTZ901 - naive, as the driver has it


class LastAdFollow(NamedTuple):
    """Hold an ad through which a user followed, and when they last did."""

    ad_id: str
    at: datetime


class UserWithTagIds(NamedTuple):
    """Hold a user, the tag ids whose bit is set, and the revision of the tag states, all of one instant."""

    user: ChannelUser
    tag_ids: frozenset[int]
    catalogue: "CatalogueRevision"


async def ordinals_of(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, int]:
    """Return the ordinals of the openids that are known, or were before a migration, `{openid: ordinal}`."""
    wanted = list(openids)
    rows = await conn.fetch(STATEMENTS["ordinals_of"], channel_id, wanted)
    known = {row["openid"]: row["ordinal"] for row in rows}
    missing = [openid for openid in wanted if openid not in known]
    # Only of those: nearly always everybody is known.
    return known | await former_openids(conn, channel_id, missing) if missing else known


async def insert_users(
    conn: Connection, channel_id: int, openids: Sequence[str], *, first_ordinal: int, now: datetime
) -> None:
    """Insert users with consecutive ordinals; the caller holds the channel's state and knows that they are new."""
    await conn.execute(STATEMENTS["insert_users"], channel_id, list(openids), first_ordinal, now)


async def users_by_ordinal(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> list[ChannelUser]:
    """Return the users with these ordinals, in any order; an ordinal that no user has is left out."""
    return [user_of(row) for row in await conn.fetch(STATEMENTS["users_by_ordinal"], channel_id, list(ordinals))]


async def users_of_robot(
    conn: Connection, robot_id: str, channel_id: int, openids: Iterable[str]
) -> list[ChannelUser] | None:
    """Return the users with these openids that are known, or None if the channel is not the robot's."""
    rows = await conn.fetch(STATEMENTS["users_of_robot"], channel_id, robot_id, list(openids))
    return [user_of(row) for row in rows if row["ordinal"] is not None] if rows else None


async def users_with_tag_ids(
    conn: Connection, robot_id: str, channel_id: int, openids: Iterable[str]
) -> list[UserWithTagIds] | None:
    """Return the users with these openids that are known with their tag ids; None if the channel is not the robot's."""
    rows = await conn.fetch(STATEMENTS["users_with_tag_ids"], channel_id, robot_id, list(openids))
    known = [row for row in rows if row["ordinal"] is not None]
    if not rows:
        return None
    return [UserWithTagIds(user_of(row), frozenset(row["tag_ids"]), catalogue_revision_of(row)) for row in known]


async def tags_of_users(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, frozenset[int]]:
    """Return the tag ids whose bit is set, shown or not, `{ordinal: tag ids}`."""
    rows = await conn.fetch(STATEMENTS["tags_of_users"], channel_id, list(ordinals))
    return {row["ordinal"]: frozenset(row["tag_ids"]) for row in rows}


@dataclass(frozen=True, slots=True)
class CatalogueRevision:
    """Hold the revision of the tag states of a channel, and the last run of the default tags, as read with bits."""

    tags: Revision
    default_tags_as_of: datetime


async def bits_of_users(
    conn: Connection, channel_id: int, ordinals: Sequence[int]
) -> tuple[CatalogueRevision, dict[int, frozenset[int]]]:
    """Return what `tags_of_users` does, of at least one person, with the revision of the catalogue at the same instant.

    Raises LookupError if there is no such channel.
    """
    rows = await conn.fetch(STATEMENTS["bits_of_users"], channel_id, ordinals)
    if not rows:
        raise LookupError("a channel never loses its state")
    return catalogue_revision_of(rows[0]), {row["ordinal"]: frozenset(row["tag_ids"]) for row in rows}


async def ads_of_users(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, list[LastAdFollow]]:
    """Return the latest ads through which people followed, at most 200 each, `{ordinal: follows, oldest first}`."""
    ads: dict[int, list[LastAdFollow]] = {}
    for row in await conn.fetch(STATEMENTS["ads_of_users"], channel_id, list(ordinals), MAX_ADS_PER_USER):
        ads.setdefault(row["ordinal"], []).append(LastAdFollow(row["ad_id"], row["followed_at"]))
    return ads


async def record_ads(conn: Connection, channel_id: int, ads: Sequence[tuple[int, str, datetime]]) -> None:
    """Record follows through ads, as (ordinal, ad id, time); of a repeated pair the latest time wins."""
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
    """Return when each tag was last given, `{ordinal: {tag_id: time}}`, as far back as the change log is kept."""
    since: dict[int, dict[int, datetime]] = {}
    for row in await conn.fetch(STATEMENTS["tags_since"], channel_id, list(ordinals)):
        since.setdefault(row["ordinal"], {})[row["tag_id"]] = row["at"]
    return since


class Loss(NamedTuple):
    """Hold when and why somebody lost a tag."""

    at: datetime
    cause: ChangeCause


async def losses_of_users(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, dict[int, Loss]]:
    """Return how each tag was last lost, `{ordinal: {tag_id: loss}}`, as far back as the change log is kept."""
    losses: dict[int, dict[int, Loss]] = {}
    for row in await conn.fetch(STATEMENTS["losses_of_users"], channel_id, list(ordinals)):
        losses.setdefault(row["ordinal"], {})[row["tag_id"]] = Loss(row["at"], ChangeCause(row["cause"]))
    return losses


def catalogue_revision_of(row: asyncpg.Record) -> CatalogueRevision:
    """Return the revision of the catalogue in a row that has its columns."""
    return CatalogueRevision(Revision(row["tag_version"], row["tag_version_at"]), row["default_tags_as_of"])


def user_of(row: asyncpg.Record) -> ChannelUser:
    """Return the user in a row that has the columns of `users_by_ordinal`."""
    facts = {name: row[name] for name in FACT_NAMES}
    if facts["followed_at"] == UNKNOWN_TIME:
        facts["followed_at"] = None
    touchable_until = row["touchable_until"]
    return ChannelUser(
        channel_id=row["channel_id"],
        ordinal=row["ordinal"],
        openid=row["openid"],
        unionid=row["unionid"],
        first_seen_at=row["first_seen_at"],
        facts=Facts(**facts),
        following=row["following"],
        touchable_until=None if touchable_until == UNKNOWN_TIME else touchable_until,
        subscribe_scene=row["subscribe_scene"],
    )


class UserForgottenError(Exception):
    """Raised when a user was forgotten after their ordinal was looked up and before their block was locked."""


@dataclass(frozen=True, slots=True)
class UserToForget:
    """Describe a user to be forgotten; `last_fact_at` is None when nothing but the openid was ever known."""

    ordinal: int
    openid: str
    last_fact_at: datetime | None


async def last_facts_of_forgotten(conn: Connection, channel_id: int, hashes: Iterable[bytes]) -> dict[bytes, datetime]:
    """Return the times of the last facts of forgotten people, `{keyed hash: time}`: no event until then is news."""
    rows = await conn.fetch(STATEMENTS["last_facts_of_forgotten"], channel_id, list(hashes))
    return {row["openid_hash"]: row["last_fact_at"] for row in rows}


async def unfollowed_until(conn: Connection, channel_id: int, until: datetime, limit: int) -> list[int]:
    """Return the ordinals of at most `limit` people who have not followed since `until`, the longest gone first."""
    return [row["ordinal"] for row in await conn.fetch(STATEMENTS["unfollowed_until"], channel_id, until, limit)]


async def users_to_forget(
    conn: Connection, channel_id: int, ordinals: Iterable[int], unfollowed: datetime | None
) -> list[UserToForget]:
    """Return who still exists and, with `unfollowed`, has not followed since; the caller holds their block."""
    rows = await conn.fetch(STATEMENTS["users_to_forget"], channel_id, list(ordinals), unfollowed)
    return [UserToForget(row["ordinal"], row["openid"], row["last_fact_at"]) for row in rows]


async def redact_change_log(
    conn: Connection, channel_id: int, block: int, offsets: Sequence[int]
) -> dict[int, set[int]]:
    """Remove what the log of a locked block says of `offsets`, and return the tags it named, `{offset: tag ids}`."""
    rows = await conn.fetch(STATEMENTS["tags_in_log"], channel_id, block, list(offsets))
    await conn.execute(STATEMENTS["redact_user_changes"], channel_id, block, list(offsets))
    mask = BitString.frombytes(bitmap_of(offsets), BLOCK_SIZE)
    await conn.execute(STATEMENTS["redact_bulk_changes"], channel_id, block, list(offsets), mask)
    return {row["user_offset"]: set(row["tag_ids"]) for row in rows}


async def extend_removed_tags(
    conn: Connection, channel_id: int, block: int, version: int, removed: Mapping[int, Iterable[int]]
) -> None:
    """Add `{offset: tag ids}` to what one version of a locked block took."""
    texts = ["{" + ",".join(map(str, sorted(tag_ids))) + "}" for tag_ids in removed.values()]
    await conn.execute(STATEMENTS["extend_removed_tags"], channel_id, block, version, list(removed), texts)


async def delete_users(conn: Connection, channel_id: int, ordinals: Sequence[int]) -> None:
    """Delete users; the caller holds the channel's state and the block, and has removed their bits."""
    await conn.execute(STATEMENTS["delete_user_ads"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["delete_users"], channel_id, list(ordinals))
    await conn.execute(STATEMENTS["decrement_user_count"], channel_id, len(ordinals))


async def remember_forgotten(
    conn: Connection, channel_id: int, last_facts: Mapping[bytes, datetime], now: datetime
) -> None:
    """Record forgotten people, `{keyed hash of the openid: time of the last fact}`."""
    await conn.execute(STATEMENTS["remember_forgotten"], channel_id, list(last_facts), list(last_facts.values()), now)


async def prune_forgotten(conn: Connection, channel_id: int, before: datetime) -> None:
    """Delete the hashes of people who were forgotten before an instant."""
    await conn.execute(STATEMENTS["prune_forgotten"], channel_id, before)


async def raise_if_forgotten(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> None:
    """Raise UserForgottenError if no user has one of these ordinals; the caller has locked their blocks before."""
    if await conn.fetch(STATEMENTS["missing_ordinals"], channel_id, list(ordinals)):
        raise UserForgottenError


@dataclass(frozen=True, slots=True)
class Identity:
    """Hold one known openid; `unionid` is None until it is linked."""

    openid: str
    ordinal: int
    unionid: str | None


async def identities_of_openids(conn: Connection, channel_id: int, openids: Iterable[str]) -> dict[str, Identity]:
    """Return the identities of the openids that are known, `{openid: identity}`."""
    rows = await conn.fetch(STATEMENTS["identities_of_openids"], channel_id, list(openids))
    return {row["openid"]: Identity(row["openid"], row["ordinal"], row["unionid"]) for row in rows}


async def identities_of_unionids(conn: Connection, channel_id: int, unionids: Iterable[str]) -> dict[str, Identity]:
    """Return the identities of the unionids that users of the channel have, `{unionid: identity}`."""
    rows = await conn.fetch(STATEMENTS["identities_of_unionids"], channel_id, list(unionids))
    return {row["unionid"]: Identity(row["openid"], row["ordinal"], row["unionid"]) for row in rows}


async def set_unionids(conn: Connection, channel_id: int, unionids: Mapping[int, str]) -> None:
    """Record `{ordinal: unionid}`; the caller holds the channel's state and knows that no other user has them."""
    await conn.execute(STATEMENTS["set_unionids"], channel_id, list(unionids), list(unionids.values()))


async def users_by_unionid(conn: Connection, channel_id: int, unionids: Iterable[str]) -> list[ChannelUser]:
    """Return the users of the channel with these unionids."""
    return [user_of(row) for row in await conn.fetch(STATEMENTS["users_by_unionid"], channel_id, list(unionids))]
