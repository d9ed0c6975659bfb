"""Read the changes of a user's tags, page by page."""

from service.domain.runtime import Runtime
from service.entities.blocks import block_of, offset_of
from service.entities.paging import Page
from service.entities.tags import UserTagChange
from service.entities.users import ChannelUser
from service.storage.blocks import change_log

MAX_BLOCK_VERSION = 2**62


async def history_page(runtime: Runtime, user: ChannelUser, *, first: int, before: int | None) -> Page[UserTagChange]:
    """Return the `first` newest changes of a user's tags before block version `before`, newest first; None is any."""
    async with runtime.pool.acquire() as conn:
        found = await change_log.history_of_user(
            conn,
            user.channel_id,
            block_of(user.ordinal),
            offset_of(user.ordinal),
            before=MAX_BLOCK_VERSION if before is None else before,
            limit=first + 1,
        )
    return Page(found[:first], len(found) > first)
