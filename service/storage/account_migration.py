"""Store what a migration of an account changes: the openids of users, users who become one, and the account."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from service.entities.blocks import block_of
from service.entities.channels import Channel
from service.entities.users import Facts
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS
from service.storage.users import FACT_NAMES


class AppIdTakenError(Exception):
    """Raised when another channel, of any robot, has an app id."""


class UnitedUser(NamedTuple):
    """Hold what a user is called, by unionid too, and of the other half of the person its scene and since when it is.

    Scene and time are those that were stored of it.
    """

    ordinal: int
    openid: str
    unionid: str | None
    subscribe_scene: str | None
    first_seen_at: datetime


class StoredUser(NamedTuple):
    """Hold what is stored of a user who is about to go; a follow of which no time is known is at `UNKNOWN_TIME`."""

    facts: Facts
    subscribe_scene: str | None
    first_seen_at: datetime


class BatchEntry(NamedTuple):
    """Say that a batch, by the key by which it came, holds a person, in the slot of a segment."""

    key_id: int
    slot: int
    batch_id: int
    ordinal: int


async def set_openids(conn: Connection, channel_id: int, openids: Mapping[int, str]) -> None:
    """Call users by other openids, `{ordinal: openid}`; the caller holds the channel's state and their blocks."""
    await conn.execute(STATEMENTS["set_openids"], channel_id, list(openids), list(openids.values()))


async def users_as_stored(conn: Connection, channel_id: int, ordinals: Iterable[int]) -> dict[int, StoredUser]:
    """Return what is stored of users, `{ordinal: user}`."""
    return {
        row["ordinal"]: StoredUser(
            Facts(**{name: row[name] for name in FACT_NAMES}), row["subscribe_scene"], row["first_seen_at"]
        )
        for row in await conn.fetch(STATEMENTS["users_as_stored"], channel_id, list(ordinals))
    }


async def set_united_users(conn: Connection, channel_id: int, united: Sequence[UnitedUser]) -> None:
    """Write what users are called with whom others were united, and keep the earlier time since they are known."""
    await conn.execute(STATEMENTS["set_united_users"], channel_id, *(list(each) for each in zip(*united, strict=True)))


async def lock_return_tags(conn: Connection, channel_id: int) -> dict[int, int | None]:
    """Lock the living return tags against every other change of their batches.

    Returns with each the one that it is being merged into, None for most.
    """
    return {row["tag_id"]: row["merging_into"] for row in await conn.fetch(STATEMENTS["lock_return_tags"], channel_id)}


async def active_combo_tags(conn: Connection, channel_id: int) -> set[int]:
    """Return the ids of the combos that are in effect."""
    return {row["tag_id"] for row in await conn.fetch(STATEMENTS["active_combo_tags"], channel_id)}


async def unite_ads(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> list[tuple[int, str]]:
    """Copy ads, `{ordinal that goes: ordinal that stays}`, and return who has new or later ones: (ordinal, ad id)."""
    rows = await conn.fetch(STATEMENTS["unite_ads"], channel_id, list(older_of), list(older_of.values()))
    return [(row["ordinal"], row["ad_id"]) for row in rows]


async def add_to_batches(conn: Connection, channel_id: int, entries: Sequence[BatchEntry]) -> None:
    """Let batches hold more people; the caller holds their tags and the blocks."""
    if not entries:
        return
    columns = [list(each) for each in zip(*entries, strict=True)]
    await conn.execute(STATEMENTS["add_to_batches"], channel_id, *columns)
    blocks = [block_of(each.ordinal) for each in entries]
    await conn.execute(STATEMENTS["extend_batch_blocks"], channel_id, [each.batch_id for each in entries], blocks)


async def unite_frozen(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Let jobs be about the ordinals that stay where they were about those that go, `{the latter: the former}`."""
    await conn.execute(STATEMENTS["unite_frozen"], channel_id, list(older_of), list(older_of.values()))
    await conn.execute(STATEMENTS["unite_seen_followers"], channel_id, list(older_of), list(older_of.values()))


async def unite_remote_members(conn: Connection, channel_id: int, older_of: Mapping[int, int]) -> None:
    """Give the ordinals that stay the remote tags of those that go; the caller holds the links of the channel."""
    await conn.execute(STATEMENTS["unite_remote_members"], channel_id, list(older_of), list(older_of.values()))
    await conn.execute(STATEMENTS["unite_remote_readings"], channel_id, list(older_of), list(older_of.values()))


async def change_account(
    conn: Connection, channel: Channel, app_id: str, encrypted_app_secret: bytes | None, now: datetime
) -> None:
    """Let a channel be the account of another app id, and forget how often the one before was called.

    Raises AppIdTakenError when the app id is another channel's.
    """
    try:
        await conn.execute(
            STATEMENTS["change_account"], channel.robot_id, channel.channel_id, app_id, encrypted_app_secret, now
        )
    except asyncpg.UniqueViolationError as error:
        raise AppIdTakenError from error
    await conn.execute(STATEMENTS["forget_quotas"], channel.channel_id)


async def set_app_secret(conn: Connection, channel: Channel, encrypted: bytes | None) -> None:
    """Give the account of a channel another app secret, or with None none."""
    await conn.execute(STATEMENTS["set_app_secret"], channel.robot_id, channel.channel_id, encrypted)


async def openids_to_ask(conn: Connection, channel: Channel, *, start: int, end: int, limit: int) -> dict[int, str]:
    """Return the first `limit` openids, from ordinal `start` on and below `end`, that are of the account before.

    That is, no migration has brought them since the account was changed. The result is `{ordinal: openid}`.
    """
    since = channel.account_changed_at
    rows = await conn.fetch(STATEMENTS["openids_to_ask"], channel.channel_id, start, end, limit, since)
    return {row["ordinal"]: row["openid"] for row in rows}
