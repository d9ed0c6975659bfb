"""The ad return address: what the ad platform calls when somebody follows through an ad.

What such a call means: the person followed through these ads at that time. That is kept for everybody, known or not,
since it may come before WeChat tells of the follow. Whether the person follows now is not concluded from it: the
default tags, Source among them, wait for the follow itself; an ad tag does not.
"""

from datetime import timedelta
from typing import Final

from service.domain.ad_tags.members import activate_pending, tell_of_activated
from service.domain.channels.lookup import channel_named, require
from service.domain.events.recorder import record_patiently
from service.domain.runtime import Runtime
from service.domain.tags.catalogue import lock_catalogue
from service.entities.channels import Channel
from service.entities.enums import ChangeCause, Permission
from service.entities.errors import BadInputError, FieldFailure
from service.entities.principal import Principal
from service.entities.tags import Catalogue, Tag
from service.entities.users import AdFollow
from service.foundation.encryption import lookup_hash, new_path_secret
from service.storage import channels

NOTED_EVERY: Final = timedelta(minutes=1)


async def ad_return_address(runtime: Runtime, channel: Channel) -> str | None:
    """Where the ad platform must call; whoever has it can write to us. None for a Mini Program, which has no follow.

    Made when it is first asked for; the release before this one bound channels without.
    """
    if channel.mini_program:
        return None
    sealed = channel.sealed_ad_secret
    if sealed is None:
        secret = new_path_secret()
        async with runtime.pool.acquire() as conn:
            given = await channels.give_ad_secret(conn, channel, runtime.sealer.seal(secret), lookup_hash(secret))
        sealed = given.sealed_ad_secret
    return None if sealed is None else f"{runtime.settings.public_url}/ads/{runtime.sealer.open(sealed)}"


async def channel_of_ad_secret(runtime: Runtime, secret: str) -> Channel | None:
    async with runtime.pool.acquire() as conn:
        return await channels.channel_by_ad_secret(conn, lookup_hash(secret))


async def confirm_ad_return(
    runtime: Runtime, principal: Principal, channel_gid: str
) -> tuple[Channel, Catalogue, list[Tag]]:
    """An admin says that the ad platform has the address; with the ad tags that became ACTIVE by that.

    Raises NotFoundError, BadInputError.
    """
    require(principal, Permission.MANAGE_CHANNELS)
    async with runtime.pool.acquire() as conn:
        channel = await channel_named(conn, principal, channel_gid)
    if channel.mini_program:
        raise BadInputError(FieldFailure("channelId", "MINI_PROGRAM", "A Mini Program has no ad return address."))
    catalogue, activated = await _confirm(runtime, channel.channel_id, ChangeCause.TAG_EDITED, secret=None)
    return channel, catalogue, activated


async def record_ad_follow(runtime: Runtime, channel: Channel, secret: str, follow: AdFollow) -> None:
    """Durable when it returns. The first genuine call confirms the address that it came to."""
    await record_patiently(runtime, channel, [follow], cause=ChangeCause.AD_FEED)
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        state = await channels.channel_state(conn, channel.channel_id)
        if state.last_ad_call_at is None or state.last_ad_call_at < now - NOTED_EVERY:
            await channels.note_ad_call(conn, channel.channel_id, now, now - NOTED_EVERY)
    if state.ad_return_confirmed_at is None:
        await _confirm(runtime, channel.channel_id, ChangeCause.AD_FEED, secret=secret)


async def _confirm(
    runtime: Runtime, channel_id: int, cause: ChangeCause, *, secret: str | None
) -> tuple[Catalogue, list[Tag]]:
    """With `secret` only if the address still has it: it may just have been reset."""
    async with runtime.pool.acquire() as conn, conn.transaction():
        catalogue = await lock_catalogue(conn, channel_id)
        if secret is not None and await channels.channel_by_ad_secret(conn, lookup_hash(secret)) is None:
            return catalogue, []
        await channels.confirm_ad_return(conn, channel_id, runtime.clock())
        catalogue, activated, wake_ups = await activate_pending(conn, catalogue, cause=cause, runtime=runtime)
    await tell_of_activated(runtime, channel_id, activated, wake_ups)
    return catalogue, activated
