"""Ask WeChat what became of mass messages of which it should have pushed a result.

A push may be lost, or the channel's push address not be set. Each chunk is asked about now and then until there is an
answer, for as long as WeChat may still send it. Source: developers.weixin.qq.com `/doc/service/api/notify/mass`.
"""

import logging
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from service.domain.official_account.calling import call_wechat
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.errors import RequestError
from service.storage.broadcasts import broadcasts, message_results
from service.storage.broadcasts.message_results import AskedChunk
from service.wechat.api.errors import UnansweredError, WechatError
from service.wechat.api.message_calls import MassStatus, mass_status

log = logging.getLogger(__name__)

OVERDUE_AFTER: Final = timedelta(minutes=10)
ASK_AGAIN_AFTER: Final = timedelta(minutes=30)
ASK_FOR: Final = timedelta(days=3)
# One channel does not keep the others waiting.
MAX_CALLS_PER_CHANNEL: Final = 20


class _Due(NamedTuple):
    """Hold between when chunks were sent, and when they were asked about last, that are to be asked about."""

    sent_after: datetime
    sent_before: datetime
    asked_before: datetime


async def channels_with_overdue_results(runtime: Runtime) -> list[int]:
    """Return the channels with mass messages that WeChat is to be asked about."""
    due = _due(runtime)
    async with runtime.pool.acquire() as conn:
        return await message_results.channels_with_overdue_results(conn, **due._asdict())


async def ask_for_results(runtime: Runtime, channel: Channel) -> int:
    """Ask about the mass messages of a channel, some at a time; return of how many it is known now.

    Where no call can be made, or none is answered, the rest is asked about later.
    """
    async with runtime.pool.acquire() as conn:
        asked = await message_results.ask_about_chunks(
            conn,
            channel.channel_id,
            **_due(runtime)._asdict(),
            limit=MAX_CALLS_PER_CHANNEL,
            now=runtime.clock(),
        )
    known = 0
    for each in asked:
        try:
            status = await call_wechat(runtime, channel, mass_status(each.msg_id))
        except WechatError as error:
            log.warning("WeChat knows nothing of a message of channel %d: %s", channel.channel_id, error)
            continue
        except (CallLaterError, RequestError, UnansweredError) as error:
            log.info("Results of channel %d are asked for later: %s", channel.channel_id, error)
            return known
        known += await _write(runtime, channel.channel_id, each, status)
    return known


async def _write(runtime: Runtime, channel_id: int, asked: AskedChunk, status: MassStatus) -> bool:
    """Write down what became of a chunk; False where that is not decided, or known by a push that came meanwhile."""
    if not status.sent and not status.failed:
        return False
    chunk_id, delivered = asked.chunk_id, 0 if status.failed else None
    async with runtime.pool.acquire() as conn, conn.transaction():
        await broadcasts.lock_broadcast(conn, channel_id, chunk_id.job_id)
        written = await message_results.write_chunk_status(
            conn, channel_id, chunk_id, status.word, runtime.clock(), delivered=delivered
        )
        if written and delivered is not None:
            await message_results.add_delivered(conn, channel_id, chunk_id.job_id, delivered)
    return written


def _due(runtime: Runtime) -> _Due:
    now = runtime.clock()
    return _Due(now - ASK_FOR, now - OVERDUE_AFTER, now - ASK_AGAIN_AFTER)
