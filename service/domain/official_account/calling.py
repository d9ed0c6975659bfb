"""Call WeChat for a channel: with its token, within its quotas, and by the decision on whatever code comes back.

Source: docs/specification.md, §6.1.
"""

import asyncio
import logging
import random
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from service.domain.official_account import quotas
from service.domain.official_account.acting import refresh_acting
from service.domain.official_account.days import end_of_day, end_of_minute
from service.domain.official_account.refusals import CallLaterError, require_official_account
from service.domain.official_account.tokens import LEASE_MARGIN, POLL_INTERVAL, access_token
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.storage import wechat_accounts
from service.wechat.api.account_calls import STABLE_TOKEN
from service.wechat.api.call import Answer, ApiCall
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import UnansweredError, WechatError

log = logging.getLogger(__name__)

# An administrator who refused is not asked again before that.
REFUSED_FOR: Final = {89506: timedelta(hours=24), 89507: timedelta(hours=1)}


class TaggingTurn:
    """Keep the account's turn to tag over several calls, so that it need not be taken and ended for each of them."""

    def __init__(self, runtime: Runtime, channel: Channel) -> None:
        self._runtime, self._channel = runtime, channel
        self._number: int | None = None
        self._until: datetime | None = None

    async def take(self) -> None:
        """Wait until no other process makes an exclusive call, and keep others waiting for as long as one may take."""
        call_within = self._runtime.settings.wechat.call_within
        if self._until is not None and self._runtime.clock() + call_within <= self._until:
            return
        await self.end()
        self._number, self._until = await _begin_turn(self._runtime, self._channel)

    async def end(self) -> None:
        """Let others tag, unless the turn is over by now."""
        if self._number is None:
            return
        async with self._runtime.pool.acquire() as conn:
            await wechat_accounts.end_tagging(conn, self._channel.channel_id, self._number)
        self._number = self._until = None


@asynccontextmanager
async def tagging_turn(runtime: Runtime, channel: Channel) -> AsyncGenerator[TaggingTurn]:
    """Keep the account's turn to tag from the first exclusive call in the block to its end."""
    turn = TaggingTurn(runtime, channel)
    try:
        yield turn
    finally:
        await turn.end()


async def call_wechat(
    runtime: Runtime, channel: Channel, call: ApiCall[Answer], *, turn: TaggingTurn | None = None
) -> Answer:
    """Return WeChat's answer to a call for a channel, repeated as often as its failures allow.

    An exclusive call takes a turn of its own, or `turn`, which then is kept for further ones.

    Raises what `require_official_account` raises, before anything is sent; CallLaterError where a quota is used up or
    the account is stopped; WechatError for codes that the caller has to judge, and for those that repeats did not cure;
    UnansweredError where no answer came, at once for a call that is not repeatable.
    """
    await refresh_acting(runtime)
    require_official_account(runtime, channel)
    dead: str | None = None
    for failures in range(runtime.settings.wechat.attempts):
        last = failures + 1 == runtime.settings.wechat.attempts
        token: str | None = None
        try:
            token = await access_token(runtime, channel, dead=dead)
            return await _send(runtime, channel, call, token, turn)
        except UnansweredError as error:
            if last or (error.sent and error.path == call.path and not call.repeatable):
                raise
            log.warning("WeChat did not answer for channel %d: %s", channel.channel_id, error)
        except WechatError as error:
            await _heed(runtime, channel, error)
            if error.decision is Decision.REFRESH and dead is None and not last:
                dead = token
                continue
            if last or error.decision is not Decision.BACK_OFF or (error.path == call.path and not call.repeatable):
                raise
        await asyncio.sleep(_pause(runtime, failures))
    raise AssertionError("the last attempt returns or raises")


async def _send(
    runtime: Runtime, channel: Channel, call: ApiCall[Answer], token: str, turn: TaggingTurn | None
) -> Answer:
    async with _turn(runtime, channel, call, turn):
        reserved = await quotas.reserve_call(runtime, channel, call.path)
        try:
            answer = await runtime.wechat.send(call, token)
        except UnansweredError as error:
            if not error.sent:
                await quotas.give_back(runtime, channel, call.path, reserved)
            raise
    if reserved.daily_limit is None:
        await quotas.learn_quota(runtime, channel, call.path, token)
    return answer


@asynccontextmanager
async def _turn(
    runtime: Runtime, channel: Channel, call: ApiCall[Answer], turn: TaggingTurn | None
) -> AsyncGenerator[None]:
    """Have the account's turn in the block, if the call needs it."""
    if not call.exclusive:
        yield
    elif turn is not None:
        await turn.take()
        yield
    else:
        async with tagging_turn(runtime, channel) as own:
            await own.take()
            yield


class _BegunTurn(NamedTuple):
    number: int
    until: datetime


async def _begin_turn(runtime: Runtime, channel: Channel) -> _BegunTurn:
    while True:
        now = runtime.clock()
        until = now + runtime.settings.wechat.call_within + LEASE_MARGIN
        async with runtime.pool.acquire() as conn:
            number = await wechat_accounts.begin_tagging(conn, channel.channel_id, now, until)
        if number is not None:
            return _BegunTurn(number, until)
        await asyncio.sleep(POLL_INTERVAL)


async def _heed(runtime: Runtime, channel: Channel, error: WechatError) -> None:
    """Let no further call be made where the code says so; raises CallLaterError for quotas and rates."""
    now = runtime.clock()
    match error.decision:
        case Decision.STOP_ACCOUNT | Decision.WAIT_FOR_ADMIN:
            pause = REFUSED_FOR.get(error.errcode, runtime.settings.wechat.stop_for)
            await _stop(runtime, channel, error, now + pause)
        case Decision.WAIT_FOR_QUOTA | Decision.SLOW_DOWN:
            slow_down = error.decision is Decision.SLOW_DOWN
            if error.path == STABLE_TOKEN:
                until = end_of_minute(now) if slow_down else end_of_day(runtime, now)
                await _stop(runtime, channel, error, until)
            elif slow_down:
                until = await quotas.close_for_this_minute(runtime, channel, error.path)
            else:
                until = await quotas.close_for_today(runtime, channel, error.path)
            raise CallLaterError("WeChat's limit of these calls is reached.", until, error.errcode) from error


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
