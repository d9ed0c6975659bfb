"""Binding and unbinding channels, their credentials, and the gate that follows from them."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from service.domain.channels.lookup import channel_named, require
from service.domain.default_tags.definitions import NAMES, rules_for
from service.domain.input_rules import name_failure, tidy_name
from service.domain.runtime import Runtime
from service.entities.blocks import WakeUp
from service.entities.channels import Channel
from service.entities.enums import ChannelKind, DefaultTagRule, Permission, TagKind, TagState
from service.entities.errors import BadInputError, ConflictError, FieldFailure
from service.entities.principal import Principal
from service.entities.tags import Tag, TagChange
from service.foundation.encryption import lookup_hash, new_path_secret
from service.storage import channels, tags
from service.storage.database.pool import Connection

APP_ID: Final = re.compile(r"wx[0-9A-Za-z]{4,62}")
CALLBACK_TOKEN: Final = re.compile(r"[0-9A-Za-z]{3,32}")
ENCODING_AES_KEY: Final = re.compile(r"[0-9A-Za-z+/]{43}")
APP_SECRET: Final = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Secrets as given: None leaves what is there, an empty string removes it."""

    app_secret: str | None = None
    callback_token: str | None = None
    encoding_aes_key: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelDetails:
    """What bindChannel says about an account."""

    kind: ChannelKind
    app_id: str
    name: str
    verified: bool
    credentials: Credentials


@dataclass(frozen=True, slots=True)
class ChannelUpdate:
    """What updateChannel changes; None leaves what is there."""

    name: str | None
    verified: bool | None
    credentials: Credentials


async def bind_channel(runtime: Runtime, principal: Principal, details: ChannelDetails) -> Channel:
    """Binds an account, or updates the binding when the robot has had it before (`bound_at` stays).

    Raises BadInputError with all failing inputs, and ConflictError when the app id is bound to another robot.
    """
    require(principal, Permission.MANAGE_CHANNELS)
    name = tidy_name(details.name)
    failures = [*_credential_failures(details.credentials), *_text_failures(details.app_id, name)]
    if failures:
        raise BadInputError(*failures)
    now = runtime.clock().replace(microsecond=0)
    try:
        async with runtime.pool.acquire() as conn, conn.transaction():
            await channels.lock_robot(conn, principal.robot_id, now)
            known = await channels.channel_by_app_id(conn, principal.robot_id, details.app_id)
            if known is None:
                channel = await _insert(conn, runtime, principal, details, name, now)
            else:
                channel = await _bind_again(conn, runtime, known, details, name)
            wake_ups = await _settle_gates(conn, principal.robot_id, runtime.clock())
    except channels.AppIdBoundElsewhereError:
        raise ConflictError("This app id is bound to another robot; it must be unbound there first.") from None
    runtime.publisher.publish(wake_ups)
    return channel


async def update_channel(runtime: Runtime, principal: Principal, gid: str, update: ChannelUpdate) -> Channel:
    """Changes what is given; raises BadInputError, NotFoundError."""
    require(principal, Permission.MANAGE_CHANNELS)
    name = None if update.name is None else tidy_name(update.name)
    failures = [*_credential_failures(update.credentials)]
    if name is not None and (failure := name_failure("input.name", name)):
        failures.append(failure)
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_robot(conn, principal.robot_id, runtime.clock())
        known = await channel_named(conn, principal, gid)
        if failures:
            raise BadInputError(*failures)
        channel = await channels.update_channel(
            conn,
            known,
            name=known.name if name is None else name,
            verified=known.verified if update.verified is None else update.verified,
            sealed=_sealed(runtime, update.credentials, known),
            unbound_at=known.unbound_at,
        )
        wake_ups = await _settle_gates(conn, principal.robot_id, runtime.clock())
    runtime.publisher.publish(wake_ups)
    return channel


async def unbind_channel(runtime: Runtime, principal: Principal, gid: str) -> Channel:
    """Closes the channel, and the robot's gate if it was what held it open. Nothing is deleted."""
    require(principal, Permission.MANAGE_CHANNELS)
    now = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_robot(conn, principal.robot_id, now)
        known = await channel_named(conn, principal, gid)
        channel = await channels.unbind_channel(conn, known, now) or known
        wake_ups = await _settle_gates(conn, principal.robot_id, now)
    runtime.publisher.publish(wake_ups)
    return channel


async def reset_addresses(runtime: Runtime, principal: Principal, gid: str) -> Channel:
    """New secrets in the push URL and the ad return address; the old addresses are dead when this returns.

    The new ad return address has to be given to the ad platform, so it counts as unconfirmed.
    """
    require(principal, Permission.MANAGE_CHANNELS)
    push, ads = (
        (runtime.sealer.seal(secret), lookup_hash(secret)) for secret in (new_path_secret(), new_path_secret())
    )
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await channel_named(conn, principal, gid)
        await channels.lock_channel_state(conn, channel.channel_id)
        return await channels.replace_secrets(conn, channel, push, ads)


def push_url(runtime: Runtime, channel: Channel) -> str:
    """Where WeChat must send this channel's pushes. Whoever has it can write to us."""
    return f"{runtime.settings.public_url}/wechat/{runtime.sealer.open(channel.sealed_push_secret)}"


async def _insert(
    conn: Connection,
    runtime: Runtime,
    principal: Principal,
    details: ChannelDetails,
    name: str,
    now: datetime,
) -> Channel:
    secret = new_path_secret()
    channel = await channels.insert_channel(
        conn,
        robot_id=principal.robot_id,
        kind=details.kind,
        app_id=details.app_id,
        name=name,
        verified=details.verified,
        bound_at=now,
        sealed=_sealed(runtime, details.credentials, None),
        push_secret=runtime.sealer.seal(secret),
        push_secret_hash=lookup_hash(secret),
    )
    rules = rules_for(channel)
    await tags.insert_tags(conn, [_default_tag(channel.channel_id, rule, now) for rule in rules])
    version, at = await channels.bump_tag_version(conn, channel.channel_id, now, is_open=False)
    created = [TagChange(version, at, rule.value, "CREATED", None, False, True) for rule in rules]
    await tags.log_tag_changes(conn, channel.channel_id, created, None)
    return channel


def _default_tag(channel_id: int, rule: DefaultTagRule, now: datetime) -> Tag:
    category, name = NAMES[rule]
    return Tag(
        channel_id=channel_id,
        tag_id=rule.value,
        kind=TagKind.DEFAULT,
        category=category,
        name=name,
        description=None,
        state=TagState.ACTIVE,
        version=1,
        created_at=now,
        updated_at=now,
        deleted_at=None,
    )


async def _bind_again(
    conn: Connection, runtime: Runtime, known: Channel, details: ChannelDetails, name: str
) -> Channel:
    if known.kind is not details.kind:
        raise BadInputError(
            FieldFailure("input.kind", "KIND_CHANGED", f"This app id was bound as {known.kind} before.")
        )
    return await channels.update_channel(
        conn,
        known,
        name=name,
        verified=details.verified,
        sealed=_sealed(runtime, details.credentials, known),
        unbound_at=None,
    )


async def _settle_gates(conn: Connection, robot_id: str, now: datetime) -> list[WakeUp]:
    """Opens or closes every channel of a robot as its bindings say, in ascending order of their locks."""
    every = await channels.channels_of_robot(conn, robot_id)
    gate = any(channel.opens_gate for channel in every)
    wake_ups = []
    for channel in every:
        state = await channels.lock_channel_state(conn, channel.channel_id)
        is_open = gate and channel.bound
        if state.open == is_open:
            continue
        version, at = await channels.bump_tag_version(conn, channel.channel_id, now, is_open=is_open)
        change = TagChange(version, at, 0, "GATE", None, state.open, is_open)
        await tags.log_tag_changes(conn, channel.channel_id, [change], None)
        wake_ups.append(WakeUp(channel.channel_id, None, version))
    return wake_ups


def _sealed(runtime: Runtime, given: Credentials, known: Channel | None) -> dict[str, bytes | None]:
    kept = {
        "app_secret": known.sealed_app_secret if known else None,
        "callback_token": known.sealed_callback_token if known else None,
        "encoding_aes_key": known.sealed_encoding_aes_key if known else None,
    }
    for name in kept:
        secret: str | None = getattr(given, name)
        if secret is not None:
            kept[name] = runtime.sealer.seal(secret) if secret else None
    return kept


def _text_failures(app_id: str, name: str) -> list[FieldFailure]:
    failures = []
    if APP_ID.fullmatch(app_id) is None:
        failures.append(FieldFailure("input.appId", "BAD_FORMAT", "An app id is wx followed by letters and digits."))
    if failure := name_failure("input.name", name):
        failures.append(failure)
    return failures


def _credential_failures(given: Credentials) -> list[FieldFailure]:
    forms = (
        ("appSecret", given.app_secret, APP_SECRET, "Up to 128 printable characters."),
        ("callbackToken", given.callback_token, CALLBACK_TOKEN, "3 to 32 letters and digits."),
        ("encodingAesKey", given.encoding_aes_key, ENCODING_AES_KEY, "43 characters, as WeChat shows it."),
    )
    return [
        FieldFailure(f"input.{path}", "BAD_FORMAT", message)
        for path, text, form, message in forms
        if text and form.fullmatch(text) is None
    ]
