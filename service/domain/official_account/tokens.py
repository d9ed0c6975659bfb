"""Keep one access token an account for all processes: renewed early by whoever takes the lease, forced only when dead.

No lock is held while WeChat is asked. A process that dies in between leaves a lease that ends by itself; until then the
others use the old token, or wait. Source: docs/specification.md, §6.1.
"""

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Final

from service.domain.official_account.days import end_of_day, wechat_day
from service.domain.official_account.refusals import CallLaterError, require_account
from service.domain.runtime import Runtime
from service.entities.channels import Channel
from service.entities.wechat_accounts import WechatAccount
from service.storage import channels, wechat_accounts
from service.wechat.api.account_calls import AccessToken, get_stable_token
from service.wechat.api.decisions import Decision
from service.wechat.api.errors import UnansweredError, WechatError

log = logging.getLogger(__name__)

# From five minutes before the end WeChat gives a new token, and the old one is good until its end.
RENEW_BEFORE: Final = timedelta(minutes=4)
# A token that is given once more just before its end is not asked for at every call.
MIN_RENEWAL_INTERVAL: Final = timedelta(seconds=30)
LEASE_MARGIN: Final = timedelta(seconds=10)
FORCED_REFRESH_INTERVAL: Final = timedelta(seconds=30)
FORCED_REFRESHES_A_DAY: Final = 20
POLL_INTERVAL: Final = 0.05  # seconds


async def access_token(runtime: Runtime, channel: Channel, *, dead: str | None = None) -> str:
    """Return the token of an account, but not the one that WeChat refuses as `dead`.

    Waits while another process gets it. Raises CallLaterError while the account is stopped or no further refresh may be
    forced, and where the channel became another account after it was read; what `require_account` raises where
    it can no longer be called; WechatError and UnansweredError from the request for a token, and then nothing was sent
    of the call that needs it.
    """
    while True:
        now = runtime.clock()
        account = await _account(runtime, channel)
        _require_app_id(channel, account.app_id, now)
        if account.stopped_until is not None and account.stopped_until > now:
            raise CallLaterError(account.stopped_because or "", account.stopped_until, account.stopped_errcode)
        known = _living_token(runtime, account, now)
        usable = known if known != dead else None
        if usable is not None and account.has_fresh_token(now):
            return usable
        renewal = await _lease(runtime, channel, account, now)
        if renewal is not None:
            return await _renew(runtime, channel, renewal, dead=dead, usable=usable)
        if usable is not None:
            return usable
        await asyncio.sleep(POLL_INTERVAL)


async def _account(runtime: Runtime, channel: Channel) -> WechatAccount:
    async with runtime.pool.acquire() as conn:
        account = await wechat_accounts.account(conn, channel.channel_id)
        while account is None:
            await wechat_accounts.insert_account(conn, channel.channel_id)
            account = await wechat_accounts.account(conn, channel.channel_id)
        return account


def _living_token(runtime: Runtime, account: WechatAccount, now: datetime) -> str | None:
    if account.encrypted_token is None or not account.has_living_token(now):
        return None
    return runtime.secret_box.decrypt(account.encrypted_token)


async def _lease(runtime: Runtime, channel: Channel, seen: WechatAccount, now: datetime) -> int | None:
    """Return the number of a renewal that is this process's to make; None if another one makes it, or just did."""
    until = now + 2 * runtime.settings.wechat.call_within + LEASE_MARGIN
    async with runtime.pool.acquire() as conn:
        return await wechat_accounts.lease_renewal(conn, channel.channel_id, seen.encrypted_token, now, until)


async def _renew(runtime: Runtime, channel: Channel, renewal: int, *, dead: str | None, usable: str | None) -> str:
    """Return the token that a renewal brings, or `usable`, which has some minutes left, where WeChat is out of order.

    In that case the lease goes on, so that WeChat is not asked again at every call.
    """
    try:
        token = await _fetch(runtime, channel, renewal, dead)
    except (UnansweredError, WechatError) as error:
        passes = isinstance(error, UnansweredError) or error.decision is Decision.BACK_OFF
        if usable is not None and passes:
            log.warning("the token of channel %d was not renewed: %s", channel.channel_id, error)
            return usable
        await _end(runtime, channel, renewal)
        if isinstance(error, UnansweredError):
            raise UnansweredError(error.path, error.reason, sent=False) from None
        raise
    except BaseException:
        await _end(runtime, channel, renewal)
        raise
    return token.token


async def _fetch(runtime: Runtime, channel: Channel, renewal: int, dead: str | None) -> AccessToken:
    """Ask WeChat for the token, force another one if it is the dead one, and save it."""
    asked_at = runtime.clock()
    # Whoever changes the credentials from here on ends this renewal.
    async with runtime.pool.acquire() as conn:
        (present,) = await channels.channels_by_id(conn, [channel.channel_id])
    _require_app_id(channel, present.app_id, asked_at)
    require_account(runtime, present)
    secret = runtime.secret_box.decrypt(present.encrypted_app_secret or b"")
    token = await runtime.wechat.send(get_stable_token(channel.app_id, secret))
    if token.token == dead:
        await _count_forced_refresh(runtime, channel, renewal)
        log.warning("WeChat gives channel %d a token that it refuses; another one is forced", channel.channel_id)
        asked_at = runtime.clock()
        token = await runtime.wechat.send(get_stable_token(channel.app_id, secret, force_refresh=True))
    expires_at = asked_at + token.expires_in
    async with runtime.pool.acquire() as conn:
        await wechat_accounts.save_token(
            conn,
            channel.channel_id,
            renewal,
            runtime.secret_box.encrypt(token.token),
            expires_at=expires_at,
            renew_at=min(expires_at, max(expires_at - RENEW_BEFORE, asked_at + MIN_RENEWAL_INTERVAL)),
        )
    return token


def _require_app_id(channel: Channel, app_id: str, now: datetime) -> None:
    """Raise CallLaterError where a channel is another account than when it was read."""
    if channel.app_id != app_id:
        raise CallLaterError("The channel has become another account meanwhile.", now)


async def _count_forced_refresh(runtime: Runtime, channel: Channel, renewal: int) -> None:
    """Count a refresh before it is forced; raises CallLaterError if the last was just now, or today had too many."""
    now = runtime.clock()
    async with runtime.pool.acquire() as conn:
        counted = await wechat_accounts.count_forced_refresh(
            conn,
            channel.channel_id,
            renewal,
            now=now,
            interval=FORCED_REFRESH_INTERVAL,
            day=wechat_day(runtime, now),
            limit=FORCED_REFRESHES_A_DAY,
        )
        account = await wechat_accounts.account(conn, channel.channel_id)
    if counted:
        return
    last = account.forced_at if account is not None else None
    until = now if last is None else last + FORCED_REFRESH_INTERVAL
    raise CallLaterError(
        "WeChat refuses the access token, and another one cannot be forced yet.",
        until if until > now else end_of_day(runtime, now),
    )


async def _end(runtime: Runtime, channel: Channel, renewal: int) -> None:
    async with runtime.pool.acquire() as conn:
        await wechat_accounts.end_renewal(conn, channel.channel_id, renewal)
