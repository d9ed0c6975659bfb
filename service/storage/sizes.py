"""How large tags were over time."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from service.entities.tags import TagSize
from service.storage.database import Connection
from service.storage.statements import STATEMENTS


async def sample_sizes(conn: Connection, channel_id: int, now: datetime) -> None:
    """Remembers the sizes that changed since they were last remembered."""
    await conn.execute(STATEMENTS["sample_sizes"], channel_id, now)


async def thin_sizes(
    conn: Connection, channel_id: int, *, older_than: datetime, every: timedelta, forget_before: datetime
) -> None:
    """Of old samples keeps the last in each span; what was true at `forget_before` stays known."""
    await conn.execute(STATEMENTS["thin_sizes"], channel_id, older_than, every, forget_before)


async def sizes_since(
    conn: Connection, channel_id: int, tag_ids: Iterable[int], since: datetime
) -> dict[int, list[TagSize]]:
    """By tag id, oldest first, beginning with what was true at `since`."""
    found: dict[int, list[TagSize]] = {}
    for row in await conn.fetch(STATEMENTS["sizes_since"], channel_id, list(tag_ids), since):
        found.setdefault(row["tag_id"], []).append(TagSize(row["at"], row["members"]))
    return found
