"""Read the audit log as it is stored."""

from typing import Any

import asyncpg
import orjson

from service.domain.runtime import Runtime


async def audit_rows(runtime: Runtime, robot_id: str = "robot-1") -> list[dict[str, Any]]:
    """Return the entries of a robot, in the order in which they were written, `before` and `after` parsed."""
    async with runtime.pool.acquire() as conn:
        return parsed(await conn.fetch("select * from audit_entry where robot_id = $1 order by ctid", robot_id))


async def audit_rows_at(database_url: str, robot_id: str) -> list[dict[str, Any]]:
    """Return the same, from a database that a process of the test serves."""
    conn = await asyncpg.connect(database_url)
    try:
        return parsed(await conn.fetch("select * from audit_entry where robot_id = $1 order by ctid", robot_id))
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
