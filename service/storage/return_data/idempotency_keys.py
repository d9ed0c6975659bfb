"""Store the idempotency keys of robots, each with the first channel the robot ever bound."""

from datetime import datetime
from typing import NamedTuple

import asyncpg

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class ReceiptId(NamedTuple):
    """Hold the channel and the number of a receipt."""

    channel_id: int
    batch_id: int


class KeyReleasedError(Exception):
    """Report that the claim of a key is gone: another request with the key was refused, and gave it up."""


class KeyClaim(NamedTuple):
    """Hold the hash of the request that a key was claimed for; `receipt` is None until there is one."""

    request_hash: bytes
    receipt: ReceiptId | None


async def claim_key(
    conn: Connection, home: int, key: str, request_hash: bytes, *, now: datetime, forgotten_before: datetime
) -> None:
    """Claim a key that no request claimed since `forgotten_before`; an existing claim is left alone."""
    await conn.execute(STATEMENTS["claim_return_key"], home, key, request_hash, now, forgotten_before)


async def find_key_claim(conn: Connection, home: int, key: str, *, claimed_from: datetime) -> KeyClaim | None:
    """Return the claim of a key, or None if nobody has claimed it since `claimed_from`."""
    row = await conn.fetchrow(STATEMENTS["return_key"], home, key, claimed_from)
    return None if row is None else KeyClaim(row["request_hash"], _receipt_id(row))


async def lock_key(conn: Connection, home: int, key: str) -> ReceiptId | None:
    """Lock a key, waiting for the transaction that holds it, and return its receipt if there is one by then.

    Raises KeyReleasedError if the key is not claimed any more.
    """
    row = await conn.fetchrow(STATEMENTS["lock_return_key"], home, key)
    if row is None:
        raise KeyReleasedError
    return _receipt_id(row)


async def save_key_receipt(conn: Connection, home: int, key: str, receipt: ReceiptId) -> None:
    """Record the receipt of a claimed key."""
    await conn.execute(STATEMENTS["save_return_key_receipt"], home, key, *receipt)


async def release_key(conn: Connection, home: int, key: str, request_hash: bytes) -> None:
    """Give up a claim that led to no receipt."""
    await conn.execute(STATEMENTS["release_return_key"], home, key, request_hash)


async def prune_keys(conn: Connection, home: int, before: datetime) -> None:
    """Delete keys that were claimed before an instant."""
    await conn.execute(STATEMENTS["prune_return_keys"], home, before)


def _receipt_id(row: asyncpg.Record) -> ReceiptId | None:
    return None if row["batch_id"] is None else ReceiptId(row["batch_channel_id"], row["batch_id"])
