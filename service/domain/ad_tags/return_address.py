"""Serve the ad return address, which the ad platform calls when a user follows through an ad.

A call states that a user followed through these ads at that time (docs/specification.md §9.3). It is recorded for
unknown users too, since it may arrive before the follow event. It does not state that the user follows now: default
tags, Source among them, wait for the follow event; ad tags do not.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from service.domain.ad_tags.members import ActivatedTags, activate_pending_ad_tags, publish_activated_tags
from service.domain.audit.recording import record
from service.domain.audit.values import channel_ref, tag_ref
from service.domain.channels.lookup import find_channel
from service.domain.events.recorder import record_with_retry
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_catalogue
from service.entities.blocks import ChangeCause
from service.entities.channels import Channel
from service.entities.errors import BadInputError, FieldError
from service.entities.principal import Permission, Principal
from service.entities.tags import Catalogue, Tag
from service.entities.users import AdFollow
from service.foundation.encryption import lookup_hash, new_path_secret
from service.storage import channels

LAST_CALL_UPDATE_INTERVAL: Final = timedelta(minutes=1)


class ConfirmedAdReturn(NamedTuple):
    """Hold a channel whose ad return address is confirmed, its catalogue, and the ad tags that became ACTIVE."""

    channel: Channel
    catalogue: Catalogue
    activated: Sequence[Tag]


async def ad_return_address(runtime: Runtime, channel: Channel) -> str | None:
    """Return the URL that the ad platform must call, a secret; None for a Mini Program, which cannot be followed.

    It is made when it is first asked for, since the release before this one bound channels without it.
    """
    if channel.mini_program:
        return None
    encrypted = channel.encrypted_ad_secret
    if encrypted is None:
        secret = new_path_secret()
        async with runtime.pool.acquire() as conn:
            given = await channels.set_missing_ad_secret(
                conn, channel, runtime.secret_box.encrypt(secret), lookup_hash(secret)
            )
        encrypted = given.encrypted_ad_secret
    return None if encrypted is None else f"{runtime.settings.public_url}/ads/{runtime.secret_box.decrypt(encrypted)}"


async def find_channel_by_ad_secret(runtime: Runtime, secret: str) -> Channel | None:
    """Return the channel whose ad return address contains this secret; None if there is none."""
    async with runtime.pool.acquire() as conn:
        return await channels.channel_by_ad_secret(conn, lookup_hash(secret))


async def confirm_ad_return(runtime: Runtime, principal: Principal, channel_id: int) -> ConfirmedAdReturn:
    """Record that the ad platform has the address, and make ad tags ACTIVE that waited for it.

    Raises ForbiddenError, NotFoundError, and BadInputError for a Mini Program.
    """
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.MANAGE_CHANNELS)
    if channel.mini_program:
        raise BadInputError(FieldError(("channel_id",), "MINI_PROGRAM", "A Mini Program has no ad return address."))
    activated = await _confirm(runtime, channel.channel_id, ChangeCause.TAG_EDITED, by=principal)
    return ConfirmedAdReturn(channel, activated.catalogue, activated.tags)


async def record_ad_follow(runtime: Runtime, channel: Channel, secret: str, follow: AdFollow) -> None:
    """Record a follow through ads durably; the first valid call confirms the address that it used."""
    await record_with_retry(runtime, channel, [follow], cause=ChangeCause.AD_FEED)
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        state = await channels.channel_state(conn, channel.channel_id)
        if state.last_ad_call_at is None or state.last_ad_call_at < now - LAST_CALL_UPDATE_INTERVAL:
            await channels.set_last_ad_call_at(conn, channel.channel_id, now, now - LAST_CALL_UPDATE_INTERVAL)
    if state.ad_return_confirmed_at is None:
        await _confirm(runtime, channel.channel_id, ChangeCause.AD_FEED, secret=secret)


async def _confirm(
    runtime: Runtime, channel_id: int, cause: ChangeCause, *, secret: str | None = None, by: Principal | None = None
) -> ActivatedTags:
    """Confirm the address; with `secret` only if it is still current, since the address may just have been reset.

    It is recorded where somebody declares it `by` hand, and it was not confirmed before.
    """
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_catalogue(conn, channel_id)
        if secret is not None and await channels.channel_by_ad_secret(conn, lookup_hash(secret)) is None:
            return ActivatedTags(catalogue)
        before = await channels.channel_state(conn, channel_id)
        await channels.confirm_ad_return(conn, channel_id, runtime.clock())
        activated = await activate_pending_ad_tags(conn, catalogue, cause=cause, runtime=runtime)
        if by is not None and before.ad_return_confirmed_at is None:
            await record(
                conn,
                runtime,
                by,
                "confirm_ad_return_address",
                channel_id=channel_id,
                target=channel_ref(channel_id),
                after={"activated": [tag_ref(channel_id, each.tag_id) for each in activated.tags]},
            )
    await publish_activated_tags(runtime, activated)
    return activated
