"""Store how many messages each person got: counters of a class, a day and a block, as bitmaps of binary digits.

A transaction that changes a counter first locks it, and reads it after that. Counters are locked in ascending order,
after the rows of a broadcast.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from asyncpg import BitString

from service.entities.blocks import BLOCK_BYTES, BLOCK_SIZE
from service.storage.database.pool import Connection
from service.storage.database.statements import STATEMENTS


class CountClass(StrEnum):
    """Name what is counted: every message, by days of the policy's zone, or mass messages, by months of Shanghai."""

    ALL = "ALL"
    MASS = "MASS"


class CounterKey(NamedTuple):
    """Name a counter; the `day` of a month is its first."""

    count_class: CountClass
    day: date
    block: int


class PlaneKey(NamedTuple):
    """Name one plane of a counter, which holds the digit of 2^plane of each person's count."""

    count_class: CountClass
    day: date
    block: int
    plane: int


async def lock_counters(conn: Connection, channel_id: int, keys: Iterable[CounterKey]) -> None:
    """Lock counters until the transaction ends, also those in which nobody is counted yet."""
    ordered = sorted(set(keys))
    columns = ([each.count_class for each in ordered], [each.day for each in ordered], [each.block for each in ordered])
    await conn.execute(STATEMENTS["insert_send_counts"], channel_id, *columns)
    await conn.fetch(STATEMENTS["lock_send_counts"], channel_id, *columns)


async def counters_since(
    conn: Connection,
    channel_id: int,
    count_class: CountClass,
    day: date,
    blocks: Collection[int],
    *,
    from_plane: int = 0,
) -> dict[int, dict[date, tuple[int, ...]]]:
    """Return the planes of counters from a day on, `{block: {day: planes}}`; absent where nobody is counted.

    Planes below `from_plane` are not read, and empty.
    """
    rows = await conn.fetch(STATEMENTS["send_counts_since"], channel_id, count_class, day, list(blocks), from_plane)
    found: dict[int, dict[date, tuple[int, ...]]] = defaultdict(dict)
    for row in rows:
        planes = found[row["block"]].get(row["day"], ())
        empty = (0,) * (row["plane"] - len(planes))
        found[row["block"]][row["day"]] = (*planes, *empty, int.from_bytes(row["members"].bytes))
    return found


async def save_planes(conn: Connection, channel_id: int, planes: Mapping[PlaneKey, int]) -> None:
    """Write planes; the caller holds their counters."""
    keys = list(planes)
    await conn.execute(
        STATEMENTS["save_send_counts"],
        channel_id,
        [key.count_class for key in keys],
        [key.day for key in keys],
        [key.block for key in keys],
        [key.plane for key in keys],
        [BitString.frombytes(plane.to_bytes(BLOCK_BYTES), BLOCK_SIZE) for plane in planes.values()],
    )


async def prune_counters(conn: Connection, channel_id: int, count_class: CountClass, before: date) -> None:
    """Delete the counters of a class of days before one."""
    await conn.execute(STATEMENTS["prune_send_counts"], channel_id, count_class, before)
