"""Who is in a set, counted and in order."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.entities.expressions import Expression
from service.storage.database import Connection
from service.storage.expressions import around
from service.storage.statements import STATEMENTS


@dataclass(frozen=True, slots=True)
class AudienceSize:
    """Of one instant. `followers` and `touchable` are those of the members who follow, and who can be written to."""

    members: int
    followers: int
    touchable: int


async def size_up_audience(conn: Connection, channel_id: int, expression: Expression) -> AudienceSize:
    row = await conn.fetchrow(around(STATEMENTS["size_up_audience"], expression), channel_id)
    return AudienceSize(0, 0, 0) if row is None else AudienceSize(*row)


async def blocks_of_audience(
    conn: Connection, channel_id: int, expression: Expression, *, start: int, limit: int
) -> list[tuple[int, bytes]]:
    """(block, bitmap) of the first blocks from `start` on that have members, ascending."""
    rows = await conn.fetch(around(STATEMENTS["blocks_of_audience"], expression), channel_id, start, limit)
    return [(row["block"], row["members"].bytes) for row in rows]


async def tag_overlaps(conn: Connection, channel_id: int, tag_ids: Iterable[int]) -> dict[tuple[int, int], int]:
    """Shared members by (smaller tag id, larger tag id), also of each tag with itself; absent where there are none."""
    rows = await conn.fetch(STATEMENTS["tag_overlaps"], channel_id, list(tag_ids))
    return {(row["a"], row["b"]): row["members"] for row in rows}
