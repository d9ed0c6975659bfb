"""Bind and unbind channels, keep their credentials and addresses, and open or close the gate that follows from them."""

import re
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final, NamedTuple

from service.domain.audit.recording import record
from service.domain.audit.values import broadcast_ref, channel_ref
from service.domain.channels.gates import update_gates
from service.domain.channels.lookup import find_channel, require_permission
from service.domain.channels.recorded_bindings import record_binding
from service.domain.default_tags.definitions import DEFAULT_TAG_NAMES, default_tag_rules
from service.domain.input_rules import name_error, normalise_name
from service.domain.runtime import Runtime
from service.entities.channels import Channel, ChannelKind
from service.entities.errors import (
    BadInputError,
    ConflictError,
    FieldError,
    ForbiddenError,
    LimitExceededError,
)
from service.entities.jobs import JobChangeNotification
from service.entities.principal import Permission, Principal
from service.entities.tags import DefaultTagRule, Tag, TagChange, TagKind, TagState
from service.foundation.encryption import lookup_hash, new_path_secret
from service.storage import channels, tags, webhooks, wechat_accounts
from service.storage.database.pool import Connection

APP_ID_PATTERN: Final = re.compile(r"wx[0-9A-Za-z]{4,62}")
CALLBACK_TOKEN_PATTERN: Final = re.compile(r"[0-9A-Za-z]{3,32}")
ENCODING_AES_KEY_PATTERN: Final = re.compile(r"[0-9A-Za-z+/]{43}")
APP_SECRET_PATTERN: Final = re.compile(r"[!-~]{1,128}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """Hold secrets as given: None keeps the stored one, an empty string removes it."""

    app_secret: str | None = field(default=None, repr=False)
    callback_token: str | None = field(default=None, repr=False)
    encoding_aes_key: str | None = field(default=None, repr=False)

    @property
    def given(self) -> frozenset[str]:
        """Return the names of the secrets that are stored anew or removed."""
        return frozenset(each.name for each in fields(self) if getattr(self, each.name) is not None)


@dataclass(frozen=True, slots=True)
class ChannelDetails:
    """Describe an account to bind."""

    kind: ChannelKind
    app_id: str
    name: str
    verified: bool
    credentials: Credentials


class Unbound(NamedTuple):
    """Hold a channel that was unbound, and the broadcasts of the robot that failed by that."""

    channel: Channel
    stopped: list[JobChangeNotification]


@dataclass(frozen=True, slots=True)
class ChannelUpdate:
    """Hold the new values of a channel; None keeps the old one."""

    name: str | None
    verified: bool | None
    credentials: Credentials


async def bind_channel(runtime: Runtime, principal: Principal, details: ChannelDetails) -> Channel:
    """Bind an account as a channel, or bind again one that the robot had before (`bound_at` stays).

    Raises ForbiddenError, also for a token that is narrowed to other channels; BadInputError with all failing inputs;
    ConflictError when the app id is bound to another robot; LimitExceededError when the robot has too many channels.
    """
    require_permission(principal, Permission.MANAGE_CHANNELS)
    name = normalise_name(details.name)
    errors = [*_credential_errors(details.credentials), *_text_errors(details.app_id, name)]
    if errors:
        raise BadInputError(*errors)
    now = runtime.clock().replace(microsecond=0)
    try:
        async with runtime.pool.acquire() as conn, conn.transaction():
            await channels.lock_robot(conn, principal.robot_id, now)
            known = await channels.channel_by_app_id(conn, principal.robot_id, details.app_id)
            _check_may_bind(principal, known)
            if known is None:
                await _check_room(conn, runtime, principal.robot_id)
                channel = await _insert(conn, runtime, principal, details, name, now)
            else:
                channel = await _rebind(conn, runtime, known, details, name)
            notifications = await update_gates(conn, principal.robot_id, runtime.clock())
            await record_binding(conn, runtime, principal, "bind_channel", known, channel, details.credentials.given)
    except channels.AppIdBoundElsewhereError:
        raise ConflictError("This app id is bound to another robot. Unbind it there first.") from None
    runtime.publisher.publish(notifications)
    return channel


async def update_channel(runtime: Runtime, principal: Principal, channel_id: int, update: ChannelUpdate) -> Channel:
    """Change the given values of a channel. Raises ForbiddenError, NotFoundError, BadInputError."""
    name = None if update.name is None else normalise_name(update.name)
    errors = [*_credential_errors(update.credentials)]
    if name is not None and (error := name_error("name", name)):
        errors.append(error)
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_robot(conn, principal.robot_id, runtime.clock())
        known = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
        if errors:
            raise BadInputError(*errors)
        channel = await channels.update_channel(
            conn,
            known,
            name=known.name if name is None else name,
            verified=known.verified if update.verified is None else update.verified,
            encrypted=_encrypt_credentials(runtime, update.credentials, known),
            unbound_at=known.unbound_at,
        )
        if update.credentials.app_secret is not None:
            await wechat_accounts.reset_account(conn, channel_id)
        notifications = await update_gates(conn, principal.robot_id, runtime.clock())
        if channel != known or update.credentials.given:
            await record_binding(conn, runtime, principal, "update_channel", known, channel, update.credentials.given)
    runtime.publisher.publish(notifications)
    return channel


async def unbind_channel(runtime: Runtime, principal: Principal, channel_id: int) -> Unbound:
    """Unbind a channel, and close the robot's gate if no other channel keeps it open; nothing is deleted.

    Wherever the gate closes broadcasts fail, those of other channels, too. Raises ForbiddenError, NotFoundError.
    """
    now = runtime.clock()
    async with runtime.pool.acquire() as conn, conn.transaction():
        await channels.lock_robot(conn, principal.robot_id, now)
        known = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
        channel = await channels.unbind_channel(conn, known, now) or known
        await wechat_accounts.reset_account(conn, channel_id)
        notifications = await update_gates(conn, principal.robot_id, now)
        stopped = [each for each in notifications if isinstance(each, JobChangeNotification)]
        if known.bound:
            failed = [broadcast_ref(each.channel_id, each.job_id) for each in stopped]
            await record(
                conn,
                runtime,
                principal,
                "unbind_channel",
                channel_id=channel_id,
                target=channel_ref(channel_id),
                before={"bound": True},
                after={"bound": False, "stopped": failed},
            )
    runtime.publisher.publish(notifications)
    return Unbound(channel, stopped)


async def reset_addresses(runtime: Runtime, principal: Principal, channel_id: int) -> Channel:
    """Replace the secrets in the push URL and the ad return address; the old addresses stop working.

    The new ad return address counts as unconfirmed until the ad platform has it. Raises ForbiddenError, NotFoundError.
    """
    push, ads = (
        channels.AddressSecret(runtime.secret_box.encrypt(secret), lookup_hash(secret))
        for secret in (new_path_secret(), new_path_secret())
    )
    async with runtime.pool.acquire() as conn, conn.transaction():
        channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
        await channels.lock_channel_state(conn, channel.channel_id)
        target = channel_ref(channel_id)
        await record(conn, runtime, principal, "reset_channel_addresses", channel_id=channel_id, target=target)
        return await channels.replace_secrets(conn, channel, push, ads)


def push_url(runtime: Runtime, channel: Channel) -> str:
    """Return the URL to which WeChat must send the channel's pushes; it is a secret, as it admits events."""
    return f"{runtime.settings.public_url}/wechat/{runtime.secret_box.decrypt(channel.encrypted_push_secret)}"


def _check_may_bind(principal: Principal, known: Channel | None) -> None:
    """Raise ForbiddenError where a narrowed token would bind a channel that is not one of its own.

    It is the same whether the robot has the app id, another robot has it, or none: that is not to be found out so.
    """
    if principal.narrowed and (known is None or not principal.is_for_channel(known.channel_id)):
        raise ForbiddenError


async def _check_room(conn: Connection, runtime: Runtime, robot_id: str) -> None:
    """Raise LimitExceededError when a robot, which is locked, has as many channels as it may have."""
    limit = runtime.settings.client_limits.channels_per_robot
    if len(await channels.channels_of_robot(conn, robot_id)) >= limit:
        raise LimitExceededError(f"A robot has at most {limit:,} channels, those that were unbound included.")


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
        encrypted=_encrypt_credentials(runtime, details.credentials, None),
        push_secret=runtime.secret_box.encrypt(secret),
        push_secret_hash=lookup_hash(secret),
    )
    # Before its tags are made, so that these are told, too.
    await webhooks.follow_new_channel(conn, principal.robot_id, channel.channel_id, now)
    rules = default_tag_rules(channel)
    made = [_default_tag(channel.channel_id, rule, now) for rule in rules]
    await tags.insert_tags(conn, made)
    revision = await channels.bump_tag_version(conn, channel.channel_id, now, is_open=False)
    created = [TagChange(*revision, tag.tag_id, "CREATED", None, False, True, tag) for tag in made]
    await tags.log_tag_changes(conn, channel.channel_id, created, None)
    return channel


def _default_tag(channel_id: int, rule: DefaultTagRule, now: datetime) -> Tag:
    category, name = DEFAULT_TAG_NAMES[rule]
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


async def _rebind(conn: Connection, runtime: Runtime, known: Channel, details: ChannelDetails, name: str) -> Channel:
    if known.kind is not details.kind:
        raise BadInputError(
            FieldError(
                ("kind",), "KIND_CHANGED", f"This app id was bound as {known.kind} before; its kind cannot change."
            )
        )
    await wechat_accounts.reset_account(conn, known.channel_id)
    return await channels.update_channel(
        conn,
        known,
        name=name,
        verified=details.verified,
        encrypted=_encrypt_credentials(runtime, details.credentials, known),
        unbound_at=None,
    )


def _encrypt_credentials(runtime: Runtime, given: Credentials, known: Channel | None) -> dict[str, bytes | None]:
    kept = {
        "app_secret": known.encrypted_app_secret if known else None,
        "callback_token": known.encrypted_callback_token if known else None,
        "encoding_aes_key": known.encrypted_encoding_aes_key if known else None,
    }
    for name in kept:
        secret: str | None = getattr(given, name)
        if secret is not None:
            kept[name] = runtime.secret_box.encrypt(secret) if secret else None
    return kept


def _text_errors(app_id: str, name: str) -> list[FieldError]:
    errors = []
    if APP_ID_PATTERN.fullmatch(app_id) is None:
        errors.append(FieldError(("app_id",), "BAD_FORMAT", "An app id is wx followed by 4 to 62 letters and digits."))
    if error := name_error("name", name):
        errors.append(error)
    return errors


def _credential_errors(given: Credentials) -> list[FieldError]:
    forms = (
        ("app_secret", given.app_secret, APP_SECRET_PATTERN, "Up to 128 printable characters."),
        ("callback_token", given.callback_token, CALLBACK_TOKEN_PATTERN, "3 to 32 letters and digits."),
        ("encoding_aes_key", given.encoding_aes_key, ENCODING_AES_KEY_PATTERN, "43 characters, as WeChat shows it."),
    )
    return [
        FieldError((field,), "BAD_FORMAT", message)
        for field, text, form, message in forms
        if text and form.fullmatch(text) is None
    ]
