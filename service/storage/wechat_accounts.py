"""Store the tokens of the accounts that are called for, and the leases by which one process at a time renews or tags.

Each function is a transaction of its own, unless it says so: no lock is held while WeChat is called.
"""

from datetime import date, datetime, timedelta

import asyncpg

from service.entities.channels import Channel
from service.entities.wechat_accounts import WechatAccount
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def insert_account(conn: Connection, channel_id: int) -> None:
    """Make the row of an account; where there is one, nothing changes."""
    await conn.execute(STATEMENTS["insert_wechat_account"], channel_id)


async def account(conn: Connection, channel_id: int) -> WechatAccount | None:
    """Return what is kept of an account, None before the first call."""
    row = await conn.fetchrow(STATEMENTS["wechat_account"], channel_id)
    return None if row is None else _account(row)


async def lease_renewal(
    conn: Connection, channel_id: int, token: bytes | None, now: datetime, until: datetime
) -> int | None:
    """Set out to renew this encrypted token, None if there was none yet, and return the number of the renewal.

    None, and nothing changed, if somebody else has renewed it, or is at it.
    """
    renewal: int | None = await conn.fetchval(STATEMENTS["lease_token_renewal"], channel_id, token, now, until)
    return renewal


async def save_token(
    conn: Connection, channel_id: int, renewal: int, token: bytes, *, expires_at: datetime, renew_at: datetime
) -> None:
    """Write the encrypted token that a renewal brought, and end it; nothing changes if another was begun after it."""
    await conn.execute(STATEMENTS["save_token"], channel_id, renewal, token, expires_at, renew_at)


async def end_renewal(conn: Connection, channel_id: int, renewal: int) -> None:
    """End a renewal that brought nothing."""
    await conn.execute(STATEMENTS["end_token_renewal"], channel_id, renewal)


async def count_forced_refresh(
    conn: Connection, channel_id: int, renewal: int, *, now: datetime, interval: timedelta, day: date, limit: int
) -> bool:
    """Count a refresh that is about to be forced; False, and nothing counted, if it may not be."""
    counted = await conn.fetchval(
        STATEMENTS["count_forced_refresh"], channel_id, renewal, now, now - interval, day, limit
    )
    return counted is not None


async def stop_account(conn: Connection, channel: Channel, until: datetime, errcode: int, because: str) -> bool:
    """Record why no calls are made until an instant; False, and nothing recorded, if the credentials have changed.

    Needs a transaction.
    """
    await conn.execute(STATEMENTS["lock_wechat_account"], channel.channel_id)
    stopped = await conn.fetchval(
        STATEMENTS["stop_wechat_account"],
        channel.channel_id,
        until,
        errcode,
        because,
        channel.app_id,
        channel.encrypted_app_secret,
    )
    return stopped is not None


async def end_stop(conn: Connection, channel_id: int, errcode: int) -> None:
    """Let calls be made again that were stopped since WeChat refused the account with a code."""
    await conn.execute(STATEMENTS["end_stop_of_account"], channel_id, errcode)


async def reset_account(conn: Connection, channel_id: int) -> None:
    """Forget the token and a stop, since the credentials changed."""
    await conn.execute(STATEMENTS["reset_wechat_account"], channel_id)


async def begin_tagging(conn: Connection, channel_id: int, now: datetime, until: datetime) -> int | None:
    """Begin a call that tags, and return its number; None while another one runs."""
    number: int | None = await conn.fetchval(STATEMENTS["begin_tagging"], channel_id, now, until)
    return number


async def end_tagging(conn: Connection, channel_id: int, number: int) -> None:
    """End a call that tags."""
    await conn.execute(STATEMENTS["end_tagging"], channel_id, number)


def _account(row: asyncpg.Record) -> WechatAccount:
    return WechatAccount(
        app_id=row["app_id"],
        encrypted_token=row["token"],
        token_expires_at=row["token_expires_at"],
        token_renew_at=row["token_renew_at"],
        forced_at=row["forced_at"],
        stopped_until=row["stopped_until"],
        stopped_errcode=row["stopped_errcode"],
        stopped_because=row["stopped_because"],
    )
