"""Store how often WeChat's server API was called for a channel, a row for each path and day."""

from datetime import date, datetime, timedelta

import asyncpg

from service.entities.wechat_accounts import CallQuota
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def reserve_calls(
    conn: Connection, channel_id: int, api: str, day: date, now: datetime, calls: int
) -> CallQuota | None:
    """Count calls that are about to be made, and return their quota; None, and nothing counted, where not all fit."""
    row = await conn.fetchrow(STATEMENTS["reserve_wechat_calls"], channel_id, api, day, now, calls)
    return None if row is None else _quota(row)


async def quota(conn: Connection, channel_id: int, api: str, day: date) -> CallQuota | None:
    """Return the quota of a call, None before the first call of the day."""
    row = await conn.fetchrow(STATEMENTS["wechat_quota"], channel_id, api, day)
    return None if row is None else _quota(row)


async def release_calls(conn: Connection, channel_id: int, api: str, counted: CallQuota, calls: int) -> None:
    """Give back some of the calls that were counted together."""
    await conn.execute(STATEMENTS["release_wechat_calls"], channel_id, api, counted.day, calls, counted.window_at)


async def claim_question(
    conn: Connection, channel_id: int, api: str, day: date, now: datetime, unless_after: datetime
) -> bool:
    """Set out to ask WeChat for a quota; False if it is known, or somebody asked after `unless_after`."""
    asked_at = await conn.fetchval(STATEMENTS["claim_quota_question"], channel_id, api, day, now, unless_after)
    return asked_at is not None


async def save_quota(
    conn: Connection,
    channel_id: int,
    api: str,
    day: date,
    *,
    daily_limit: int | None,
    used: int,
    calls: int | None,
    period: timedelta | None,
    now: datetime,
) -> None:
    """Record a quota as WeChat told it; what was used is never less than what was counted here."""
    await conn.execute(STATEMENTS["save_wechat_quota"], channel_id, api, day, daily_limit, used, calls, period, now)


async def close_api(conn: Connection, channel_id: int, api: str, day: date, until: datetime) -> None:
    """Record that WeChat takes no more of these calls until an instant."""
    await conn.execute(STATEMENTS["close_wechat_api"], channel_id, api, day, until)


async def prune_quotas(conn: Connection, channel_id: int, before: date) -> None:
    """Delete the quotas of days before one."""
    await conn.execute(STATEMENTS["prune_wechat_quotas"], channel_id, before)


def _quota(row: asyncpg.Record) -> CallQuota:
    return CallQuota(
        day=row["day"],
        used=row["used"],
        daily_limit=row["daily_limit"],
        window_at=row["window_at"],
        window_length=row["window_length"],
        window_limit=row["window_limit"],
        closed_until=row["closed_until"],
    )
