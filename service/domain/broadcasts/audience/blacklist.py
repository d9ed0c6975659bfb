"""Read whom an account has on its blacklist, so that nobody of them is counted on (docs/specification.md §6.6)."""

import logging
from collections.abc import Sequence
from typing import Final

from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.bitmaps import bitmaps_of, united
from service.entities.channels import Channel
from service.storage.broadcasts import broadcast_audiences
from service.wechat.api.errors import UnansweredError, WechatError
from service.wechat.api.tag_calls import blacklist

# 1,000 people each. WeChat's own list is not that long; a cursor that leads nowhere ends.
MAX_PAGES: Final = 1_000

log = logging.getLogger(__name__)


async def read_blacklist(runtime: Runtime, channel: Channel) -> None:
    """Record whom an Official Account has on its blacklist.

    Where WeChat does not tell, what was read last is left: whoever is on it is learnt from a refusal, too.
    Raises what `require_official_account` raises.
    """
    if channel.mini_program:
        return
    try:
        people = await _read_pages(runtime, channel)
    except (WechatError, UnansweredError, CallLaterError) as error:
        log.warning("The blacklist of channel %d is not read: %s", channel.channel_id, error)
        return
    async with runtime.pool.acquire() as conn, conn.transaction():
        await broadcast_audiences.replace_blacklist(conn, channel.channel_id, people)


async def _read_pages(runtime: Runtime, channel: Channel) -> dict[int, int]:
    people: dict[int, int] = {}
    cursor = ""
    for _ in range(MAX_PAGES):
        page = await call_wechat(runtime, channel, blacklist(cursor))
        people = united(people, bitmaps_of(await _ordinals(runtime, channel, page.openids)))
        if not page.cursor or page.cursor == cursor:
            break
        cursor = page.cursor
    return people


async def _ordinals(runtime: Runtime, channel: Channel, openids: Sequence[str]) -> list[int]:
    async with runtime.pool.acquire() as conn:
        return await broadcast_audiences.ordinals_of_openids(conn, channel.channel_id, openids)
