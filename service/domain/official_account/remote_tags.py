"""List the tags of an Official Account as WeChat answers now."""

import asyncio

from service.domain.channels.lookup import find_channel
from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import require_official_account, shown_to_clients
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.principal import Permission, Principal
from service.wechat.api.tag_calls import RemoteTag, list_tags


async def remote_tags(runtime: Runtime, principal: Principal, channel_id: int) -> list[RemoteTag]:
    """Return the account's tags without those of the system, by id.

    Raises ForbiddenError, NotFoundError, what `require_official_account` raises, and UpstreamError, also when all of it
    takes longer than one call may.
    """
    async with runtime.pool.acquire() as conn:
        channel = await find_channel(conn, principal, channel_id, Permission.SYNC)
    require_official_account(runtime, channel)
    return await tags_at_wechat(runtime, channel)


async def tags_at_wechat(runtime: Runtime, channel: Channel) -> list[RemoteTag]:
    """Return the account's tags without those of the system, by id.

    Raises UpstreamError, also when all of it takes longer than one call may.
    """
    with shown_to_clients():
        async with asyncio.timeout(runtime.settings.wechat.call_within.total_seconds()):
            found = await call_wechat(runtime, channel, list_tags())
    return sorted((tag for tag in found if not tag.of_system), key=lambda tag: tag.remote_tag_id)
