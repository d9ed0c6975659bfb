"""Store which installation calls WeChat by this database."""

from datetime import datetime
from typing import NamedTuple

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class Installation(NamedTuple):
    """Hold the public URL of an installation, which copy of the database it knew last, and which copy this one is."""

    public_url: str
    database: str | None
    present: str


async def acting_installation(conn: Connection) -> Installation | None:
    """Return the installation that acts by this database, None if none did so far."""
    row = await conn.fetchrow(STATEMENTS["acting_installation"])
    return None if row is None else Installation(*row)


async def know_database(conn: Connection, present: str) -> None:
    """Record which copy of the database this one is."""
    await conn.execute(STATEMENTS["know_database"], present)


async def claim_acting(conn: Connection, public_url: str, now: datetime) -> None:
    """Record that the installation with this URL acts, unless one does."""
    await conn.execute(STATEMENTS["claim_acting"], public_url, now)


async def confirm_acting(conn: Connection, public_url: str, now: datetime) -> None:
    """Record that the installation with this URL acts, and no other one any more."""
    await conn.execute(STATEMENTS["confirm_acting"], public_url, now)
