"""Store the policies that channels have for their broadcasts."""

from datetime import datetime, time, timedelta

import asyncpg

from service.entities.broadcasts import BroadcastPolicy, QuietHours, RollingCap
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def broadcast_policy(conn: Connection, channel_id: int) -> BroadcastPolicy | None:
    """Return the policy of a channel; None if it never needed one of its own."""
    row = await conn.fetchrow(STATEMENTS["broadcast_policy"], channel_id)
    return None if row is None else _policy(row)


async def insert_broadcast_policy(conn: Connection, channel_id: int, policy: BroadcastPolicy) -> None:
    """Store the policy of a channel, unless it has one."""
    await conn.execute(STATEMENTS["insert_broadcast_policy"], channel_id, *_columns(policy), policy.hold_out_key)


async def lock_broadcast_policy(conn: Connection, channel_id: int) -> BroadcastPolicy:
    """Lock the policy of a channel, which has one of its own, until the transaction ends, and return it."""
    (row,) = await conn.fetch(STATEMENTS["lock_broadcast_policy"], channel_id)
    return _policy(row)


async def save_broadcast_policy(conn: Connection, channel_id: int, policy: BroadcastPolicy) -> None:
    """Change the policy of a channel, whose `hold_out_key` stays as it is."""
    await conn.execute(STATEMENTS["save_broadcast_policy"], channel_id, *_columns(policy))


async def wake_broadcasts_outside_hours(conn: Connection, channel_id: int, now: datetime) -> None:
    """Let broadcasts that wait for quiet hours or holidays to end be claimed at an instant, to look again."""
    await conn.execute(STATEMENTS["wake_broadcasts_outside_hours"], channel_id, now)


def _columns(
    policy: BroadcastPolicy,
) -> tuple[str, time | None, time | None, bool, int | None, int | None, int | None, int | None, timedelta, timedelta]:
    quiet, rolling = policy.quiet_hours, policy.rolling
    return (
        policy.time_zone,
        None if quiet is None else quiet.start,
        None if quiet is None else quiet.end,
        policy.respect_holidays,
        policy.per_person_per_day,
        None if rolling is None else rolling.messages,
        None if rolling is None else rolling.days,
        policy.approval_above,
        policy.missed_start_after,
        policy.duplicate_within,
    )


def _policy(row: asyncpg.Record) -> BroadcastPolicy:
    quiet = None if row["quiet_from"] is None else QuietHours(row["quiet_from"], row["quiet_to"])
    rolling = None if row["rolling_messages"] is None else RollingCap(row["rolling_messages"], row["rolling_days"])
    return BroadcastPolicy(
        time_zone=row["time_zone"],
        quiet_hours=quiet,
        respect_holidays=row["respect_holidays"],
        per_person_per_day=row["per_person_per_day"],
        rolling=rolling,
        approval_above=row["approval_above"],
        missed_start_after=row["missed_start_after"],
        duplicate_within=row["duplicate_within"],
        hold_out_key=row["hold_out_key"],
    )
