"""Store robots, channels and their states."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import asyncpg

from service.entities.channels import Channel, ChannelKind, ChannelState
from service.entities.revision import Revision
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class AddressSecret(NamedTuple):
    """Hold the secret in an address: encrypted, to be shown, and as a hash, to be found by."""

    encrypted: bytes
    hash: bytes


class AppIdBoundElsewhereError(Exception):
    """Raised when another robot has a living binding of the app id."""


async def lock_robot(conn: Connection, robot_id: str, now: datetime) -> None:
    """Lock a robot, inserted if need be, so that its bindings come one after the other."""
    await conn.execute(STATEMENTS["insert_robot"], robot_id, now)
    await conn.execute(STATEMENTS["lock_robot"], robot_id)


async def channels_of_robot(conn: Connection, robot_id: str) -> list[Channel]:
    """Return every channel the robot ever bound, oldest first."""
    return [_channel(row) for row in await conn.fetch(STATEMENTS["channels_of_robot"], robot_id)]


async def channel_of_robot(conn: Connection, robot_id: str, channel_id: int) -> Channel | None:
    """Return a channel, or None if it is not the robot's."""
    return _maybe_channel(await conn.fetchrow(STATEMENTS["channel_of_robot"], robot_id, channel_id))


async def channels_by_id(conn: Connection, channel_ids: Collection[int]) -> list[Channel]:
    """Return channels of any robot: the caller must look whose they are."""
    return [_channel(row) for row in await conn.fetch(STATEMENTS["channels_by_id"], channel_ids)]


async def channel_by_push_secret(conn: Connection, secret_hash: bytes) -> Channel | None:
    """Return the channel whose push address carries the secret with this hash, or None."""
    return _maybe_channel(await conn.fetchrow(STATEMENTS["channel_by_push_secret"], secret_hash))


async def channel_by_app_id(conn: Connection, robot_id: str, app_id: str) -> Channel | None:
    """Return the robot's channel of an app id, bound or not, or None."""
    return _maybe_channel(await conn.fetchrow(STATEMENTS["channel_by_app_id"], robot_id, app_id))


async def all_channels(conn: Connection) -> list[Channel]:
    """Return every channel of every robot."""
    return [_channel(row) for row in await conn.fetch(STATEMENTS["all_channels"])]


async def insert_channel(
    conn: Connection,
    *,
    robot_id: str,
    kind: ChannelKind,
    app_id: str,
    name: str,
    verified: bool,
    bound_at: datetime,
    encrypted: dict[str, bytes | None],
    push_secret: bytes,
    push_secret_hash: bytes,
) -> Channel:
    """Insert a channel with its state and return it. Raises AppIdBoundElsewhereError."""
    try:
        row = await conn.fetchrow(
            STATEMENTS["insert_channel"],
            robot_id,
            kind,
            app_id,
            name,
            verified,
            bound_at,
            encrypted["app_secret"],
            encrypted["callback_token"],
            encrypted["encoding_aes_key"],
            push_secret,
            push_secret_hash,
        )
    except asyncpg.UniqueViolationError as error:
        raise _bound_elsewhere(error) from error
    channel = _channel(_require_row(row))
    await conn.execute(STATEMENTS["insert_channel_state"], channel.channel_id, bound_at)
    return channel


async def update_channel(
    conn: Connection,
    channel: Channel,
    *,
    name: str,
    verified: bool,
    encrypted: dict[str, bytes | None],
    unbound_at: datetime | None,
) -> Channel:
    """Change the details of a channel and return it.

    Raises AppIdBoundElsewhereError when it is bound again while another robot has it.
    """
    try:
        row = await conn.fetchrow(
            STATEMENTS["update_channel"],
            channel.robot_id,
            channel.channel_id,
            name,
            verified,
            encrypted["app_secret"],
            encrypted["callback_token"],
            encrypted["encoding_aes_key"],
            unbound_at,
        )
    except asyncpg.UniqueViolationError as error:
        raise _bound_elsewhere(error) from error
    return _channel(_require_row(row))


async def channel_by_ad_secret(conn: Connection, secret_hash: bytes) -> Channel | None:
    """Return the channel whose ad return address carries the secret with this hash, or None."""
    return _maybe_channel(await conn.fetchrow(STATEMENTS["channel_by_ad_secret"], secret_hash))


async def replace_secrets(conn: Connection, channel: Channel, push: AddressSecret, ads: AddressSecret) -> Channel:
    """Replace the secrets of the push address and the ad return address; the old addresses are invalid at once."""
    row = await conn.fetchrow(STATEMENTS["replace_secrets"], channel.robot_id, channel.channel_id, *push, *ads)
    await conn.execute(STATEMENTS["forget_ad_return"], channel.channel_id)
    return _channel(_require_row(row))


async def set_missing_ad_secret(conn: Connection, channel: Channel, secret: bytes, secret_hash: bytes) -> Channel:
    """Give a channel an ad secret if it has none, and return it with the one that it has then."""
    await conn.execute(STATEMENTS["set_missing_ad_secret"], channel.robot_id, channel.channel_id, secret, secret_hash)
    row = await conn.fetchrow(STATEMENTS["channel_of_robot"], channel.robot_id, channel.channel_id)
    return _channel(_require_row(row))


async def unbind_channel(conn: Connection, channel: Channel, now: datetime) -> Channel | None:
    """Unbind a channel and return it; None if it was not bound."""
    return _maybe_channel(await conn.fetchrow(STATEMENTS["unbind_channel"], channel.robot_id, channel.channel_id, now))


async def home_channel_or_none(conn: Connection, robot_id: str) -> int | None:
    """Return the channel with which what belongs to the whole robot is kept; None where it never bound one."""
    found: int | None = await conn.fetchval(STATEMENTS["home_channel"], robot_id)
    return found


async def home_channel_id(conn: Connection, robot_id: str) -> int:
    """Return the home channel of a robot. Raises LookupError where it never bound one."""
    found = await home_channel_or_none(conn, robot_id)
    if found is None:
        raise LookupError("the robot has never bound a channel")
    return found


async def channel_state(conn: Connection, channel_id: int) -> ChannelState:
    """Return the state of a channel. Raises LookupError if there is no such channel."""
    return _state(_require_row(await conn.fetchrow(STATEMENTS["channel_state"], channel_id)))


async def lock_channel_state(conn: Connection, channel_id: int) -> ChannelState:
    """Lock the state of a channel and return it: the first lock of every structural change."""
    return _state(_require_row(await conn.fetchrow(STATEMENTS["lock_channel_state"], channel_id)))


async def bump_tag_version(conn: Connection, channel_id: int, now: datetime, *, is_open: bool) -> Revision:
    """Count a structural change, set the gate, and return the new revision of the tag states."""
    row = _require_row(await conn.fetchrow(STATEMENTS["bump_tag_version"], channel_id, now, is_open))
    return Revision(row["tag_version"], row["tag_version_at"])


async def allocate_ordinals(conn: Connection, channel_id: int, count: int) -> int:
    """Reserve `count` consecutive ordinals and return the first; locks the channel's state."""
    return int(_require_row(await conn.fetchrow(STATEMENTS["allocate_ordinals"], channel_id, count))["first_ordinal"])


async def allocate_tag_id(conn: Connection, channel_id: int) -> int:
    """Reserve the number of a new tag; the caller holds the channel's state."""
    return int(_require_row(await conn.fetchrow(STATEMENTS["allocate_tag_id"], channel_id))["tag_id"])


async def set_last_push_at(conn: Connection, channel_id: int, now: datetime, unless_after: datetime) -> None:
    """Record a push, unless one was recorded after `unless_after`."""
    await conn.execute(STATEMENTS["set_last_push_at"], channel_id, now, unless_after)


async def set_last_ad_call_at(conn: Connection, channel_id: int, now: datetime, unless_after: datetime) -> None:
    """Record a call of the ad platform, unless one was recorded after `unless_after`."""
    await conn.execute(STATEMENTS["set_last_ad_call_at"], channel_id, now, unless_after)


async def confirm_ad_return(conn: Connection, channel_id: int, now: datetime) -> None:
    """Record that the ad platform is known to call the present ad return address, unless it was known before."""
    await conn.execute(STATEMENTS["confirm_ad_return"], channel_id, now)


async def announce_default_tags_run(conn: Connection, channel_id: int, now: datetime) -> datetime:
    """Announce a run and return its instant, which is later than `now` if a run on a faster clock came before.

    From the commit on, no transaction that locks a block evaluates it at an earlier instant.
    """
    row = _require_row(await conn.fetchrow(STATEMENTS["announce_default_tags_run"], channel_id, now))
    return cast("datetime", row["default_tags_run_at"])


async def earliest_evaluation(conn: Connection, channel_id: int) -> datetime:
    """Return the instant before which no block that is locked by now may be evaluated."""
    row = _require_row(await conn.fetchrow(STATEMENTS["earliest_evaluation"], channel_id))
    return cast("datetime", row["default_tags_run_at"])


async def set_default_tags_as_of(conn: Connection, channel_id: int, as_of: datetime) -> None:
    """Record that every boundary up to `as_of` has been crossed."""
    await conn.execute(STATEMENTS["set_default_tags_as_of"], channel_id, as_of)


@dataclass(frozen=True, slots=True)
class Summary:
    """Hold totals over all channels; `changes` are versions of blocks, `changed_at` is None before the first."""

    channels: int
    users: int
    changes: int
    changed_at: datetime | None


async def summary(conn: Connection) -> Summary:
    """Return the totals over all channels, of every robot."""
    return Summary(*_require_row(await conn.fetchrow(STATEMENTS["summary"])))


async def follower_count(conn: Connection, channel_id: int) -> int:
    """Count the followers of a channel."""
    return int(await conn.fetchval(STATEMENTS["followers"], channel_id))


def _require_row(row: asyncpg.Record | None) -> asyncpg.Record:
    if row is None:
        raise LookupError("a row that must be there is missing")
    return row


def _bound_elsewhere(error: asyncpg.UniqueViolationError) -> Exception:
    bound_elsewhere = error.constraint_name == "channel_app_id_bound"
    return AppIdBoundElsewhereError() if bound_elsewhere else error


def _maybe_channel(row: asyncpg.Record | None) -> Channel | None:
    return None if row is None else _channel(row)


def _channel(row: asyncpg.Record) -> Channel:
    values: dict[str, Any] = {
        name: row[name] for name in ("channel_id", "robot_id", "app_id", "name", "verified", "bound_at", "unbound_at")
    }
    return Channel(
        **values,
        kind=ChannelKind(row["kind"]),
        encrypted_app_secret=row["app_secret"],
        encrypted_callback_token=row["callback_token"],
        encrypted_encoding_aes_key=row["encoding_aes_key"],
        encrypted_push_secret=row["push_secret"],
        encrypted_ad_secret=row["ad_secret"],
        former_app_id=row["former_app_id"],
        account_changed_at=row["account_changed_at"],
    )


def _state(row: asyncpg.Record) -> ChannelState:
    return ChannelState(
        open=row["open"],
        tag_revision=Revision(row["tag_version"], row["tag_version_at"]),
        user_count=row["user_count"],
        next_ordinal=row["next_ordinal"],
        default_tags_as_of=row["default_tags_as_of"],
        last_push_at=row["last_push_at"],
        last_ad_call_at=row["last_ad_call_at"],
        ad_return_confirmed_at=row["ad_return_confirmed_at"],
    )
