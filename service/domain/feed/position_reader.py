"""Read the positions of users once for all subscribers of a channel that join together, as in the morning.

A channel is read by one statement at a time. It answers all subscribers that asked before it began.
"""

from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from typing import Final, NamedTuple, TypeAlias

from service.foundation.batch_reader import BatchReader
from service.storage import feed
from service.storage.database.pool import Pool
from service.storage.feed import Position

# Reading one position takes up to a millisecond, and the first subscriber should not wait for hundreds.
MAX_POSITIONS_PER_READ: Final = 50


class PositionKey(NamedTuple):
    """Name a user, known or not, whose position is asked for."""

    channel_id: int
    openid: str


PositionReader: TypeAlias = BatchReader[PositionKey, Position]


def make_position_reader(pool: Pool) -> PositionReader:
    """Return a reader that answers every key as of a moment after the question."""
    return BatchReader(
        partial(_read_positions, pool),
        group_of=attrgetter("channel_id"),
        max_keys=MAX_POSITIONS_PER_READ,
        max_concurrent=1,
    )


async def _read_positions(pool: Pool, keys: Sequence[PositionKey]) -> dict[PositionKey, Position]:
    async with pool.acquire() as conn:
        found = await feed.read_positions(conn, keys[0].channel_id, [key.openid for key in keys])
    return {key: found[key.openid] for key in keys}
