"""Idempotency keys of robots, each kept with the first channel the robot ever bound."""

from datetime import datetime

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def home_channel_id(conn: Connection, robot_id: str) -> int:
    """The channel that a robot's keys are kept with; the robot has one."""
    return int(await conn.fetchval(STATEMENTS["first_channel_of_robot"], robot_id))


async def claim_key(
    conn: Connection, home: int, key: str, request_hash: bytes, *, now: datetime, forgotten_before: datetime
) -> None:
    """Claims a key that nobody claimed since `forgotten_before`; a claim that stands is left alone."""
    await conn.execute(STATEMENTS["claim_return_key"], home, key, request_hash, now, forgotten_before)


async def find_key_claim(conn: Connection, home: int, key: str) -> tuple[bytes, tuple[int, int] | None] | None:
    """The hash of the request a key was claimed for, and (channel id, batch id) of its receipt once there is one."""
    row = await conn.fetchrow(STATEMENTS["return_key"], home, key)
    if row is None:
        return None
    return row["request_hash"], None if row["batch_id"] is None else (row["batch_channel_id"], row["batch_id"])


async def lock_key(conn: Connection, home: int, key: str) -> tuple[int, int] | None:
    """Waits for whoever settles this key; the receipt if there is one by then. Raises LookupError without a claim."""
    row = await conn.fetchrow(STATEMENTS["lock_return_key"], home, key)
    if row is None:
        raise LookupError("the claim of an idempotency key is gone")
    return None if row["batch_id"] is None else (row["batch_channel_id"], row["batch_id"])


async def save_key_receipt(conn: Connection, home: int, key: str, receipt: tuple[int, int]) -> None:
    await conn.execute(STATEMENTS["save_return_key_receipt"], home, key, *receipt)


async def release_key(conn: Connection, home: int, key: str, request_hash: bytes) -> None:
    """Gives up a claim that led to no receipt."""
    await conn.execute(STATEMENTS["release_return_key"], home, key, request_hash)


async def prune_keys(conn: Connection, home: int, before: datetime) -> None:
    await conn.execute(STATEMENTS["prune_return_keys"], home, before)
