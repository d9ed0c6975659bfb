"""Count calls against WeChat's daily quotas and rates before they are made, for all processes together.

Limits are those that `openapi/quota/get` tells, asked after the first call of a path and day. Until they are known, and
where others use the account too, WeChat's own refusal closes the path. Source: docs/specification.md, §6.1.
"""

import logging
import math
from datetime import datetime, timedelta
from typing import Final

from service.domain.official_account.days import end_of_day, wechat_day
from service.domain.official_account.refusals import CallLaterError
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.wechat_accounts import CallQuota
from service.storage import wechat_quotas
from service.wechat.api.account_calls import quota_of
from service.wechat.api.errors import UnansweredError, WechatError

log = logging.getLogger(__name__)

ASK_AGAIN_AFTER: Final = timedelta(minutes=10)
QUOTA_RETENTION: Final = timedelta(days=7)


async def reserve_call(runtime: Runtime, channel: Channel, path: str) -> CallQuota:
    """Count a call that is about to be made. Raises CallLaterError where the day's quota or the rate is used up."""
    now = runtime.clock()
    day = wechat_day(runtime, now)
    async with runtime.pool.acquire() as conn:
        quota = await wechat_quotas.reserve_calls(conn, channel.channel_id, path, day, now, 1)
        if quota is not None:
            return quota
        quota = await wechat_quotas.quota(conn, channel.channel_id, path, day)
    raise CallLaterError("WeChat's limit of these calls is reached.", opens_again(runtime, quota, now))


async def count_calls(runtime: Runtime, channel: Channel, path: str, calls: int) -> CallQuota | None:
    """Count several calls before they are made, as long as `counts_now`; None, and none counted, where not all fit."""
    now = runtime.clock()
    day = wechat_day(runtime, now)
    async with runtime.pool.acquire() as conn:
        return await wechat_quotas.reserve_calls(conn, channel.channel_id, path, day, now, calls)


def counts_now(runtime: Runtime, counted: CallQuota) -> bool:
    """Tell whether a call that was counted can be made still: later it would count for another day, or another rate."""
    now = runtime.clock()
    return counted.day == wechat_day(runtime, now) and now < counted.window_at + counted.window_length


async def give_back(runtime: Runtime, channel: Channel, path: str, counted: CallQuota, calls: int) -> None:
    """Take back calls that were counted together and certainly not made."""
    async with runtime.pool.acquire() as conn:
        await wechat_quotas.release_calls(conn, channel.channel_id, path, counted, calls)


async def learn_quota(runtime: Runtime, channel: Channel, path: str, token: str) -> None:
    """Ask WeChat for the quota of a path, unless another process does; where it tells none, it stays unknown."""
    now = runtime.clock()
    day = wechat_day(runtime, now)
    async with runtime.pool.acquire() as conn:
        claimed = await wechat_quotas.claim_question(conn, channel.channel_id, path, day, now, now - ASK_AGAIN_AFTER)
    if not claimed:
        return
    try:
        found = await runtime.wechat.send(quota_of(path), token)
    except (WechatError, UnansweredError) as error:
        log.info("the quota of %s is not known for channel %d: %s", path, channel.channel_id, error)
        return
    async with runtime.pool.acquire() as conn:
        await wechat_quotas.save_quota(
            conn,
            channel.channel_id,
            path,
            day,
            daily_limit=found.daily_limit,
            used=found.used,
            calls=found.calls,
            period=found.period,
            now=now,
        )


async def calls_left(runtime: Runtime, channel: Channel, path: str) -> int | None:
    """Return how many calls of a path are left of the day, as is known from the first call on; None where it is not."""
    day = wechat_day(runtime, runtime.clock())
    async with runtime.pool.acquire() as conn:
        found = await wechat_quotas.quota(conn, channel.channel_id, path, day)
    return None if found is None or found.daily_limit is None else max(found.daily_limit - found.used, 0)


async def calls_left_of_share(runtime: Runtime, channel: Channel, path: str, share: float) -> int | None:
    """Return how many calls of a path are left of a share of the day's quota, at least one; None where it is not known.

    Raises CallLaterError if none is.
    """
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        found = await wechat_quotas.quota(conn, channel.channel_id, path, wechat_day(runtime, now))
    if found is None or found.daily_limit is None:
        return None
    left = math.floor(found.daily_limit * share) - found.used
    if left <= 0:
        raise CallLaterError("The rest of the day's calls is left to people.", end_of_day(runtime, now))
    return left


async def close(runtime: Runtime, channel: Channel, path: str, until: datetime) -> None:
    """Make no more calls of a path on this day before an instant, since WeChat takes none."""
    day = wechat_day(runtime, runtime.clock())
    async with runtime.pool.acquire() as conn:
        await wechat_quotas.close_api(conn, channel.channel_id, path, day, until)


async def prune_quotas(runtime: Runtime, channel_id: int) -> None:
    """Delete what was counted more than a week ago."""
    before = wechat_day(runtime, runtime.clock() - QUOTA_RETENTION)
    async with runtime.pool.acquire() as conn:
        await wechat_quotas.prune_quotas(conn, channel_id, before)


def opens_again(runtime: Runtime, quota: CallQuota | None, now: datetime) -> datetime:
    """Return when a call can be made again: the day's quota is anew at its end, the rate at the end of its window."""
    if quota is None:
        return now
    if quota.used_up:
        return end_of_day(runtime, now)
    return max(quota.window_at + quota.window_length, quota.closed_until or now)
