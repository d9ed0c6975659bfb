"""Write entries of the audit log as acts would, and read it as it is stored."""

from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from service.domain.audit.recording import new_entry_id
from service.domain.audit.sealing import SEAL_AFTER, seal_audit_logs
from service.domain.runtime import Runtime
from service.entities.audit import AuditEntry, AuditOutcome
from service.entities.channels import Channel
from service.entities.principal import RequestOrigin
from service.storage import audit_entries
from tests.support.clock import FrozenClock


async def audit_rows(runtime: Runtime, robot_id: str = "robot-1") -> list[dict[str, Any]]:
    """Return the entries of a robot, in the order in which they were written, `before` and `after` parsed."""
    async with runtime.pool.acquire() as conn:
        return parsed(await conn.fetch("select * from audit_entry where robot_id = $1 order by at, ctid", robot_id))


async def audit_rows_at(database_url: str, robot_id: str) -> list[dict[str, Any]]:
    """Return the same, from a database that a process of the test serves."""
    conn = await asyncpg.connect(database_url)
    try:
        return parsed(await conn.fetch("select * from audit_entry where robot_id = $1 order by at, ctid", robot_id))
    finally:
        await conn.close()


def parsed(rows: list[asyncpg.Record]) -> list[dict[str, Any]]:
    """Return rows as dictionaries, with what is JSON in them parsed."""
    return [
        {
            **row,
            "before": None if row["before"] is None else orjson.loads(row["before"]),
            "after": None if row["after"] is None else orjson.loads(row["after"]),
        }
        for row in rows
    ]


async def write_entries(runtime: Runtime, channel: Channel, count: int = 1, **given: Any) -> None:
    """Write entries that are not sealed, a second apart; `given` are fields of AuditEntry."""
    async with runtime.pool.acquire() as conn:
        for number in range(count):
            details: dict[str, Any] = {
                "channel_id": channel.channel_id,
                "entry_id": new_entry_id(),
                "robot_id": channel.robot_id,
                "at": runtime.clock() + timedelta(seconds=number),
                "subject": "ada",
                "role": "admin",
                "action": "renameTag",
                "outcome": AuditOutcome.DONE,
                "origin": RequestOrigin(f"request {number}", "203.0.113.7"),
                "target_id": "VGFnOjE6OQ",
                "before": '{"name": "Gold"}',
                "after": '{"name": "Silver"}',
            }
            await audit_entries.insert_entry(conn, AuditEntry(**(details | given)))


async def sealed_log(runtime: Runtime, *channels: Channel, count: int) -> None:
    """Write entries to the channels of a robot in turn, a second apart, and seal them; a frozen clock moves on."""
    assert isinstance(runtime.clock, FrozenClock)
    for number in range(count):
        await write_entries(runtime, channels[number % len(channels)])
        runtime.clock.advance(timedelta(seconds=1))
    runtime.clock.advance(SEAL_AFTER)
    await seal_audit_logs(runtime)


async def numbers_of(runtime: Runtime, robot_id: str = "robot-1") -> list[int | None]:
    """Return the numbers of a robot's entries, in the order of their times."""
    async with runtime.pool.acquire() as conn:
        rows = await conn.fetch("select number from audit_entry where robot_id = $1 order by at, entry_id", robot_id)
    return [number for (number,) in rows]
