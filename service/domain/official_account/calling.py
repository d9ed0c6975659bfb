"""Call WeChat for a channel: with its token, within its quotas, and by the decision on whatever code comes back.

Source: docs/specification.md, §6.1.
"""

import asyncio
import logging
import random
from collections.abc import Generator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Final

from service.domain.official_account import quotas
from service.domain.official_account.acting import refresh_acting
from service.domain.official_account.days import end_of_day, end_of_minute
from service.domain.official_account.refusals import CallLaterError, require_account, require_official_account
from service.domain.official_account.series import CallSeries, call_series
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage import wechat_accounts
from service.storage.database.pool import DATABASE_ERRORS
from service.wechat.api.account_calls import STABLE_TOKEN
from service.wechat.api.call import Answer, ApiCall
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import UnansweredError, WechatError

log = logging.getLogger(__name__)

# An administrator who refused is not asked again before that.
REFUSED_FOR: Final = {89506: timedelta(hours=24), 89507: timedelta(hours=1)}


async def call_wechat(
    runtime: Runtime, channel: Channel, call: ApiCall[Answer], *, series: CallSeries | None = None
) -> Answer:
    """Return WeChat's answer to a call for a channel, repeated as often as its failures allow.

    Several calls of one path cost less in a `series`.

    Raises what `require_official_account` raises, before anything is sent; CallLaterError where a quota is used up or
    the account is stopped; WechatError for codes that the caller has to judge, and for those that repeats did not cure;
    UnansweredError where no answer came, at once for a call that is not repeatable. An error of the database means that
    nothing was sent: what a call ended with is told whatever befalls the database then.
    """
    await refresh_acting(runtime)
    (require_account if call.mini_programs else require_official_account)(runtime, channel)
    if series is not None:
        return await _call(runtime, channel, call, series)
    async with call_series(runtime, channel, call.path, 1) as own:
        return await _call(runtime, channel, call, own)


async def _call(runtime: Runtime, channel: Channel, call: ApiCall[Answer], series: CallSeries) -> Answer:
    dead: str | None = None
    for failures in range(runtime.settings.wechat.attempts):
        last = failures + 1 == runtime.settings.wechat.attempts
        token: str | None = None
        try:
            token = await series.token(dead=dead)
            return await _send(runtime, channel, call, token, series)
        except UnansweredError as error:
            with whatever_befalls_the_database(channel):
                await series.look_again()
            if last or (error.sent and not call.repeatable):
                raise
            log.warning("WeChat did not answer for channel %d: %s", channel.channel_id, error)
        except WechatError as error:
            with whatever_befalls_the_database(channel):
                await series.look_again()
            await heed(runtime, channel, error)
            if error.decision is Decision.REFRESH and dead is None and not last:
                dead = token
                continue
            if last or error.decision is not Decision.BACK_OFF or (error.path == call.path and not call.repeatable):
                raise
        await asyncio.sleep(_pause(runtime, failures))
    raise AssertionError("the last attempt returns or raises")


async def _send(runtime: Runtime, channel: Channel, call: ApiCall[Answer], token: str, series: CallSeries) -> Answer:
    if call.exclusive:
        await series.take_turn()
    counted = await series.count()
    try:
        answer = await runtime.wechat.send(call, token)
    except UnansweredError as error:
        if not error.sent:
            with whatever_befalls_the_database(channel):
                await series.not_made(counted)
        raise
    if counted.daily_limit is None:
        with whatever_befalls_the_database(channel):
            await quotas.learn_quota(runtime, channel, call.path, token)
    return answer


async def heed(runtime: Runtime, channel: Channel, error: WechatError) -> None:
    """Let no further call be made where the code says so; raises CallLaterError for quotas and rates."""
    now = runtime.clock()
    match error.decision:
        case Decision.STOP_ACCOUNT | Decision.WAIT_FOR_ADMIN:
            pause = REFUSED_FOR.get(error.errcode, runtime.settings.wechat.stop_for)
            with whatever_befalls_the_database(channel):
                await _stop(runtime, channel, error, now + pause)
        case Decision.WAIT_FOR_QUOTA | Decision.SLOW_DOWN:
            slow_down = error.decision is Decision.SLOW_DOWN
            until = end_of_minute(now) if slow_down else end_of_day(runtime, now)
            with whatever_befalls_the_database(channel):
                if error.path == STABLE_TOKEN:
                    await _stop(runtime, channel, error, until)
                else:
                    await quotas.close(runtime, channel, error.path, until)
            raise CallLaterError("WeChat's limit of these calls is reached.", until, error.errcode) from error


@contextmanager
def whatever_befalls_the_database(channel: Channel) -> Generator[None]:
    """Go on where it cannot be noted what a call ended with, so that this is not lost, too."""
    try:
        yield
    except DATABASE_ERRORS as error:
        log.warning("After a call to WeChat for channel %d: %s", channel.channel_id, type(error).__name__)


async def _stop(runtime: Runtime, channel: Channel, error: WechatError, until: datetime) -> None:
    """Stop the account, and say in the log what its owner has to mend; what they mended meanwhile stops nothing."""
    because = f"WeChat refuses this account with {error.errcode}: {error.errmsg}."
    if error.refused_ip:
        because += f" Allow {error.refused_ip} in the IP whitelist of the account."
    async with runtime.pool.acquire() as conn, conn.transaction():
        stopped = await wechat_accounts.stop_account(conn, channel, until, error.errcode, because)
    if stopped:
        text = "No calls to WeChat for channel %d until %s: %s (rid %s)"
        log.error(text, channel.channel_id, until, because, error.rid)


def _pause(runtime: Runtime, failures: int) -> float:
    """Return the seconds before the next attempt, doubled with each failure, more or less a half."""
    seconds = runtime.settings.wechat.retry_after.total_seconds() * float(2**failures)
    return seconds * random.uniform(0.5, 1.5)  # noqa: S311 - spreads repeats, hides nothing
