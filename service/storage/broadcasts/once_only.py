"""Store who freezes a broadcast with a `onceOnly`: one at a time for each value, in the home channel of the robot."""

from datetime import datetime

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def begin_once_only(conn: Connection, home: int, value: str, now: datetime, until: datetime) -> int | None:
    """Set out to freeze until an instant, and return the number of the freeze; None while another one is at it."""
    number: int | None = await conn.fetchval(STATEMENTS["begin_once_only"], home, value, now, until)
    return number


async def renew_once_only(conn: Connection, home: int, value: str, number: int, until: datetime) -> bool:
    """Be at it until an instant; False where another freeze was begun since.

    In a transaction, no other is begun until that ends.
    """
    return await conn.fetchval(STATEMENTS["renew_once_only"], home, value, number, until) is not None


async def end_once_only(conn: Connection, home: int, value: str, number: int) -> None:
    """Let others freeze."""
    await conn.execute(STATEMENTS["end_once_only"], home, value, number)
