"""Store which installation calls WeChat by this database."""

from datetime import datetime

from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


async def acting_installation(conn: Connection) -> str | None:
    """Return the public URL of the installation that acts by this database, None if none did so far."""
    url: str | None = await conn.fetchval(STATEMENTS["acting_installation"])
    return url


async def claim_acting(conn: Connection, public_url: str, now: datetime) -> None:
    """Record that the installation with this URL acts, unless one does."""
    await conn.execute(STATEMENTS["claim_acting"], public_url, now)


async def confirm_acting(conn: Connection, public_url: str, now: datetime) -> None:
    """Record that the installation with this URL acts, and no other one any more."""
    await conn.execute(STATEMENTS["confirm_acting"], public_url, now)
