"""Store the return addresses and keys of robots."""

from datetime import datetime

import asyncpg

from service.entities.return_data import ReturnEndpoint
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def endpoint_of_robot(conn: Connection, robot_id: str) -> ReturnEndpoint | None:
    """Return the endpoint of a robot, or None if it has not obtained one."""
    return _to_endpoint_or_none(await conn.fetchrow(STATEMENTS["return_endpoint_of_robot"], robot_id))


async def endpoint_by_token(conn: Connection, token_hash: bytes) -> ReturnEndpoint | None:
    """Return the endpoint whose address carries the token with this hash, or None."""
    return _to_endpoint_or_none(await conn.fetchrow(STATEMENTS["return_endpoint_by_token"], token_hash))


async def insert_endpoint(
    conn: Connection, robot_id: str, *, app_id: str, token: bytes, token_hash: bytes, key: bytes, now: datetime
) -> bool:
    """Insert the robot's endpoint; where there is one, change nothing and return False."""
    done = await conn.execute(STATEMENTS["insert_return_endpoint"], robot_id, app_id, token, token_hash, key, now)
    return bool(done.endswith(" 1"))


async def replace_key(conn: Connection, robot_id: str, key: bytes, now: datetime) -> ReturnEndpoint | None:
    """Replace the key of a robot's endpoint and return it; None if the robot has none."""
    return _to_endpoint_or_none(await conn.fetchrow(STATEMENTS["replace_return_key"], robot_id, key, now))


async def set_last_call_at(conn: Connection, robot_id: str, now: datetime, unless_after: datetime) -> None:
    """Record a call of the endpoint, unless one was recorded after `unless_after`."""
    await conn.execute(STATEMENTS["set_last_return_call_at"], robot_id, now, unless_after)


def _to_endpoint_or_none(row: asyncpg.Record | None) -> ReturnEndpoint | None:
    if row is None:
        return None
    return ReturnEndpoint(
        endpoint_id=row["endpoint_id"],
        robot_id=row["robot_id"],
        app_id=row["app_id"],
        encrypted_token=row["token"],
        encrypted_key=row["key"],
        obtained_at=row["obtained_at"],
        key_reset_at=row["key_reset_at"],
        last_call_at=row["last_call_at"],
    )
